"""Compare an imported graph with the runtime that its file was made for: no model is imported wrong in silence.

Float graphs are compared before they are quantized, integer graphs bit for bit with LiteRT's reference kernels, and
QDQ graphs with ONNX Runtime, which computes them in real numbers.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from edgetx.compiler.source import Source
from edgetx.errors import ModelError, ToolchainError
from edgetx.fixedpoint import dequantize, quantize
from edgetx.frontends.agreement import is_wrong, ratio_db
from edgetx.frontends.tflite.file import has_integer_weights
from edgetx.ir import Array, Arrays, Graph, Value
from edgetx.ir.verify import constants_finite, verify
from edgetx.ops import Lookup
from edgetx.reference import execute, initial_state
from edgetx.runtimes.litert import LitertRuntime
from edgetx.runtimes.onnxruntime import OnnxFile
from edgetx.runtimes.runtime import Runtime

CASES = 4
BYTE_OFFSET = 128
WRONG = "imported wrong"
REASONS: Mapping[str, str] = {
    "requantized": "imported wrong, or the integers of the file are far from the real numbers behind them"
}
"""What may be the matter with a graph that does not agree, by the kind of comparison."""


class FileRuntime(Runtime, Protocol):
    """A runtime of somebody else's file."""

    @property
    def input_types(self) -> Sequence[str]:
        """Element types of the inputs; none if they are those of the graph."""


@dataclass(frozen=True)
class SourceCheck:
    """Outputs of an imported graph against those of the runtime of its file.

    Attributes:
        runtime: Name of the runtime.
        cases: Successive invocations compared.
        kind: `float`, `integer`, `hybrid` for a float graph with the stored weights of a file that quantizes
            activations as it runs, or `requantized` for a float graph in place of the integers of its file.
        mismatches: Invocations in which an integer output differs in any element; None for float graphs.
        max_lsb: Largest difference of an element, in units of the last place; None for float graphs.
        signal_to_error_db: Ratio of the runtime's outputs to the differences; None if there are none.
    """

    runtime: str
    cases: int
    kind: str
    mismatches: int | None
    max_lsb: int | None
    signal_to_error_db: float | None

    @property
    def is_wrong(self) -> bool:
        """Whether the graph computes something else than the file."""
        return is_wrong(self.signal_to_error_db, self.kind)


def check_source(
    path: Path, source: Source, settings: Mapping[str, str], real: Sequence[Arrays] = ()
) -> SourceCheck | None:
    """Compare a graph with the file it was imported from.

    Args:
        path: The file.
        source: What was imported.
        settings: Inputs and axes that were fixed, by name.
        real: Inputs to compare on, before random ones.

    Returns:
        None if no runtime of the file is installed here, or if the one that is cannot run it.

    Raises:
        ModelError: If the graph computes something else than the file does, or with constants that are no numbers.
    """
    graph = source.graph
    verify(graph, (constants_finite,))
    try:
        runtime = open_source(path, graph, settings, source.requantized)
        if runtime is None:
            return None
        cases = [*real[: CASES // 2], *random_cases(graph, CASES)][:CASES]
        check = compare(runtime, graph, cases, kind_of(path, source))
    except (ToolchainError, ModelError):
        return None  # the runtime is not there, or lacks an operator that we have
    if check.is_wrong:
        raise ModelError(
            f"{REASONS.get(check.kind, WRONG)}: {check.signal_to_error_db:.1f} dB between {check.runtime} and the "
            "imported graph",
            where=path.name,
            hint="please report this model; --set import.check=off compiles it all the same",
        )
    return check


def open_source(path: Path, graph: Graph, settings: Mapping[str, str], requantized: bool = False) -> FileRuntime | None:
    """The runtime of a file, None for a kind of file that has none.

    Args:
        path: The file.
        graph: What was imported.
        settings: Inputs and axes that were fixed, by name.
        requantized: Whether the file has a quantization that the graph does not keep; then LiteRT takes its fast
            kernels, since its reference kernel of SUM is wrong on integers.

    Raises:
        ToolchainError: If its package is not installed.
        ModelError: If it refuses the file.
    """
    match path.suffix:
        case ".tflite":
            return LitertRuntime(path.read_bytes(), [value.shape for value in graph.inputs], optimize=requantized)
        case ".onnx":
            return OnnxFile(path, settings)
        case ".pt2":
            from edgetx.frontends.torch import TorchProgram

            return TorchProgram(path)
    return None


def kind_of(path: Path, source: Source) -> str:
    """In what the file and the graph compute, as `SourceCheck` names it."""
    if not source.graph.outputs[0].type.is_float:
        return "integer"
    if source.requantized:
        return "requantized"
    return "hybrid" if path.suffix == ".tflite" and has_integer_weights(path.read_bytes()) else "float"


def compare(runtime: FileRuntime, graph: Graph, cases: Sequence[Arrays], kind: str) -> SourceCheck:
    """Run successive invocations in both.

    Args:
        runtime: The file.
        graph: What was imported.
        cases: Inputs of the graph.
        kind: As of `kind_of`.
    """
    state, steps, expected, found = initial_state(graph), list[int](), list[Array](), list[Array]()
    in_reals = runtime if kind == "requantized" and isinstance(runtime, LitertRuntime) else None
    types = in_reals.plain_types if in_reals else runtime.input_types
    for drawn in cases:
        inputs = _taken(drawn, graph, types)
        theirs = in_reals.run_real(inputs) if in_reals else runtime.run(_given(inputs, graph, runtime.input_types))
        ours = execute(graph, inputs, state)
        pairs = [(_stored(y, v).reshape(v.shape), o) for y, o, v in zip(theirs, ours, graph.outputs, strict=True)]
        steps.append(max(int(np.abs(a.astype(np.int64) - b).max()) if b.dtype.kind in "iu" else 0 for a, b in pairs))
        for (y, o), value in zip(pairs, graph.outputs, strict=True):
            expected.append(_real(y, value).ravel())
            found.append(_real(o, value).ravel())
    integer = kind == "integer"
    return SourceCheck(
        runtime.name,
        len(cases),
        kind,
        sum(n > 0 for n in steps) if integer else None,
        max(steps) if integer else None,
        ratio_db(np.concatenate(expected), np.concatenate(found)),
    )


def random_cases(graph: Graph, count: int) -> list[Arrays]:
    """Inputs of the graph's types: normal ones, or integers over the full range."""
    rng = np.random.default_rng(0)
    rows = {n.inputs[1].name: n.inputs[0].shape[0] for n in graph.nodes if isinstance(n.op, Lookup)}

    def one(value: Value) -> Array:
        t = value.type
        if value.name in rows:
            return rng.integers(0, rows[value.name], t.shape).astype(t.dtype)
        if t.is_float:
            return rng.normal(0, 1, t.shape).astype(np.float32)
        return rng.integers(t.qmin, t.qmax, t.shape, dtype=t.dtype, endpoint=True)

    return [tuple(map(one, graph.inputs)) for _ in range(count)]


def _taken(inputs: Arrays, graph: Graph, types: Sequence[str]) -> Arrays:
    """Inputs that both can be given: whole numbers where the file takes such in place of real ones."""
    found = []
    for x, value, wanted in itertools.zip_longest(inputs, graph.inputs, types, fillvalue=""):
        assert isinstance(x, np.ndarray)
        assert isinstance(value, Value)
        if value.type.is_float and wanted.startswith(("int", "uint")):
            limits = np.iinfo(wanted)
            x = np.clip(np.rint(x), limits.min, limits.max)
        found.append(x.astype(value.type.dtype))
    return tuple(found)


def _given(inputs: Arrays, graph: Graph, types: Sequence[str]) -> list[Array]:
    """Inputs as the file takes them, which may be real numbers, or bytes, around the integers of the graph."""
    found = []
    for x, value, wanted in itertools.zip_longest(inputs, graph.inputs, types, fillvalue=""):
        assert isinstance(x, np.ndarray)
        assert isinstance(value, Value)
        if wanted == "uint8" and x.dtype == np.int8:
            found.append((x.astype(np.int16) + BYTE_OFFSET).astype(np.uint8))
        else:
            whole = wanted and not value.type.quant
            real = wanted == "float32" and x.dtype.kind != "f"
            places = wanted == "int32" and x.dtype == np.int16
            found.append(_real(x, value).astype(wanted) if whole or real or places else x)
    return found


def _stored(y: Array, value: Value) -> Array:
    """An output of the file in the type of the graph's."""
    t = value.type
    if y.dtype == np.uint8 and t.dtype == "int8":
        return (y.astype(np.int16) - BYTE_OFFSET).astype(np.int8)
    return quantize(y, t.scale, t.zero_point, t.dtype) if y.dtype.kind == "f" and t.quant else y


def _real(y: Array, value: Value) -> Array:
    return dequantize(y, value.type.scale, value.type.zero_point) if value.type.quant else y.astype(np.float64)
