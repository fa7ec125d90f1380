"""A compiled folder, read back: what `run`, `evaluate`, `profile` and `verify` work on."""

import importlib.util
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from edgetx.config import did_you_mean, parse
from edgetx.errors import ConfigError, ModelError, ToolchainError
from edgetx.fixedpoint import dequantize, quantize
from edgetx.ir import Array, Graph
from edgetx.ir.serialize import load_graph
from edgetx.ops import REGISTRY
from edgetx.recipe import Recipe, load_recipe
from edgetx.runtimes.runtime import Runtime
from edgetx.targets import Target

FORM_OF = {
    "c": "c",
    "tflm": "tflite",
    "litert": "tflite",
    "onnxruntime": "onnx",
    "simulator": "firmware",
}
"""The artifact that each runtime runs; `float` and `int` run the graphs themselves."""
RUNTIMES = ("float", "int", *FORM_OF)
REPORT = "report.json"
MODULES = {
    "tflm": ("tflite_micro",),
    "litert": ("ai_edge_litert", "tflite_runtime"),
    "onnxruntime": ("onnxruntime",),
    "simulator": ("unicorn",),
}
"""Python modules, any one of which a runtime needs."""


@dataclass(frozen=True)
class Artifact:
    """A folder that `edgetx compile` wrote."""

    folder: Path

    @cached_property
    def report(self) -> Mapping[str, object]:
        """Contents of `report.json`."""
        return self._json(REPORT)

    @cached_property
    def float_graph(self) -> Graph:
        """The canonical float graph."""
        return load_graph(self.folder / "graphs" / "float.npz", REGISTRY)

    @cached_property
    def graph(self) -> Graph:
        """The integer graph."""
        return load_graph(self.folder / "graphs" / "integer.npz", REGISTRY)

    @cached_property
    def clip_graph(self) -> Graph | None:
        """The integer graph over a clip from which `graph` was made hop by hop; None if it was not."""
        path = self.folder / "graphs" / "clip.npz"
        return load_graph(path, REGISTRY) if path.is_file() else None

    @cached_property
    def float_clip_graph(self) -> Graph | None:
        """The float graph over a clip; None if the model was not made hop by hop."""
        path = self.folder / "graphs" / "float-clip.npz"
        return load_graph(path, REGISTRY) if path.is_file() else None

    @cached_property
    def tflite_graph(self) -> Graph:
        """The integer graph in TFLite's built-ins; the same as `graph` where that holds nothing else."""
        path = self.folder / "graphs" / "tflite.npz"
        return load_graph(path, REGISTRY) if path.is_file() else self.graph

    @cached_property
    def recipe(self) -> Recipe | None:
        """The recipe of the model, if it had one."""
        path = self.folder / "recipe.toml"
        return load_recipe(path) if path.is_file() else None

    @property
    def target(self) -> Target:
        """The target it was compiled for."""
        return parse(self._json("target.json"), Target, "target.json")

    def _json(self, name: str) -> Mapping[str, object]:
        try:
            contents: Mapping[str, object] = json.loads(self.file(name).read_text(encoding="utf-8"))
        except ValueError as problem:
            raise ConfigError(
                f"damaged: {problem}", where=str(self.folder / name), hint="compile the model again"
            ) from problem
        return contents

    def runtime(self, name: str) -> Runtime:
        """The model ready to run.

        Raises:
            ModelError: If it was not compiled to the form that the runtime needs.
            ToolchainError: If a package or compiler is missing.
        """
        return open_runtime(self, name)

    def file(self, name: str) -> Path:
        """A file of the folder.

        Raises:
            ModelError: If the model was not compiled to it.
        """
        path = self.folder / name
        if not path.exists():
            raise ModelError(f"has no {name}", where=str(self.folder), hint="compile with --to tflite,onnx,c")
        return path

    def quantized(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        """Real inputs as the model's integers; integer inputs as they are."""
        return tuple(
            quantize(x, v.type.scale, v.type.zero_point, v.type.dtype) if x.dtype.kind == "f" else x
            for x, v in zip(inputs, self.graph.inputs, strict=True)
        )

    def restored(self, outputs: Sequence[Array]) -> tuple[Array, ...]:
        """Integer outputs as real numbers."""
        pairs = zip(outputs, self.graph.outputs, strict=True)
        return tuple(dequantize(y, v.type.scale, v.type.zero_point) if y.dtype.kind != "f" else y for y, v in pairs)


def load_artifact(folder: Path) -> Artifact:
    """Open a compiled folder.

    Raises:
        ConfigError: If it is not one.
    """
    if not (folder / REPORT).is_file():
        raise ConfigError(
            f"not a compiled folder: it has no {REPORT}",
            where=str(folder),
            hint="edgetx compile SOURCE --target T -o OUT",
        )
    return Artifact(folder)


def report_name(runtime: str) -> str:
    """A runtime's key in the report."""
    return "c_host" if runtime == "c" else runtime


def is_installed(runtime: str) -> bool:
    """Whether the package that a runtime needs is there."""
    modules = MODULES.get(runtime)
    return modules is None or any(importlib.util.find_spec(module) for module in modules)


def open_runtime(artifact: Artifact, name: str) -> Runtime:
    """The artifact in one of `RUNTIMES`."""
    from edgetx.runtimes.litert import LitertRuntime
    from edgetx.runtimes.onnxruntime import OnnxRuntime
    from edgetx.runtimes.reference import ReferenceRuntime
    from edgetx.runtimes.tflm import TflmRuntime

    match name:
        case "float":
            return ReferenceRuntime(artifact.float_graph)
        case "int":
            return ReferenceRuntime(artifact.graph)
        case "c":
            return _host_c(artifact)
        case "tflm":
            return _with_states(artifact, TflmRuntime(artifact.file("model.tflite").read_bytes()))
        case "litert":
            return _with_states(artifact, LitertRuntime(artifact.file("model.tflite").read_bytes()))
        case "onnxruntime":
            return OnnxRuntime(artifact.file("model.onnx").read_bytes(), integer=True)
        case "simulator":
            return _simulator(artifact)
    raise ConfigError(f"unknown runtime '{name}'", where="--runtime", hint=did_you_mean(name, RUNTIMES))


def _with_states(artifact: Artifact, runtime: Runtime) -> Runtime:
    """The runtime of the TFLite file, with its states kept where the file takes them as inputs."""
    from edgetx.backends.tflite.micro import builtins
    from edgetx.runtimes.carried import CarriedStates

    states = artifact.tflite_graph.states
    if not states or "VAR_HANDLE" in builtins(artifact.file("model.tflite").read_bytes()):
        return runtime
    return CarriedStates(runtime, states)


def _host_c(artifact: Artifact) -> Runtime:
    from edgetx.firmware import build_host_library
    from edgetx.runtimes.host_c import HostC

    with tempfile.TemporaryDirectory() as folder:
        library = build_host_library(artifact.file("c"), Path(folder) / "model.so")
        return HostC(library, artifact.graph.inputs, artifact.graph.outputs)


def _simulator(artifact: Artifact) -> Runtime:
    from edgetx.runtimes.simulator import SimulatorRuntime

    if artifact.target.kind != "mcu":
        raise ToolchainError("there is no firmware to simulate for a phone", where=artifact.target.name)
    return SimulatorRuntime(artifact.target, artifact.file("firmware.elf"), artifact.graph)
