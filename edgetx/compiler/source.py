"""What users compile: a zoo model, a model folder, or a file of their own."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from edgetx.audio import load_npz
from edgetx.config import did_you_mean
from edgetx.errors import ConfigError, ModelError
from edgetx.frontends.builder_scope import Note
from edgetx.ir import Array, Graph
from edgetx.ir.serialize import load_graph
from edgetx.ops import REGISTRY
from edgetx.quant import QuantPlan
from edgetx.recipe import Recipe, load_recipe, recipe_path
from edgetx.resources import data_dir

SAVED_MODEL = "saved_model.pb"
"""What the folder of a TensorFlow SavedModel holds."""
WEIGHTS = "weights.safetensors"
"""In the folder of a trained model."""
GRAPH, PLAN = "graph.npz", "plan.json"
"""In the folder of a compressed model: its float graph, in place of weights, and the plan it was trained with."""


@dataclass(frozen=True)
class Source:
    """A model as imported.

    Attributes:
        kind: `zoo`, `folder` or the file's suffix.
        name: Name of the model.
        sha256: Digest of weights or file.
        graph: The graph as imported: a float one, or an integer one with the model's own quantization.
        recipe: How it was trained and what its input is, if known.
        calibration: Inputs that came with it, N × input shape; empty if none did.
        metrics: Its `metrics.json`, if it has one.
        plan: The quantization that it was trained with, if it was.
        notes: Why the quantization that the file has was not kept, if it was not.
    """

    kind: str
    name: str
    sha256: str
    graph: Graph
    recipe: Recipe | None = None
    calibration: Array = field(default_factory=lambda: np.empty((0,)), compare=False)
    metrics: Mapping[str, object] = field(default_factory=dict)
    plan: QuantPlan | None = None
    notes: tuple[str, ...] = ()

    @property
    def requantized(self) -> bool:
        """Whether the file has a quantization that the graph does not keep."""
        return bool(self.notes)


def load_source(source: str, inputs: Mapping[str, str] | None = None) -> Source:
    """Import a source: a name in the zoo, a model folder or recipe, or a file.

    Args:
        source: What to import.
        inputs: Values of inputs and sizes of axes that a file leaves open, by name.

    Raises:
        ModelError: If there is no such model, its kind is unknown, or it cannot be imported.
        ConfigError: If `inputs` are given for another kind of source.
    """
    path = Path(source)
    is_saved_model = (path / SAVED_MODEL).is_file()
    if inputs and path.suffix not in OPEN and not is_saved_model:
        raise ConfigError(
            f"input.{next(iter(inputs))} is for files whose shapes may be open: {', '.join(OPEN)}", where=source
        )
    if path.is_file() and path.suffix in FILE_LOADERS:
        notes: list[str] = []
        graph = FILE_LOADERS[path.suffix](path, inputs or {}, notes.append)
        return Source(path.suffix.removeprefix("."), path.stem, _digest(path), graph, notes=tuple(notes))
    if path.is_file() and path.suffix != ".toml":
        raise ModelError(
            f"unknown kind of model '{path.suffix}'", where=source, hint=f"known: {', '.join(sorted(FILE_LOADERS))}"
        )
    if path.suffix in FILE_LOADERS:
        raise ModelError("no such file", where=source)
    if is_saved_model:
        graph = _load_keras(path, inputs or {}, lambda _: None)
        return Source("saved_model", path.name, _digest(path / SAVED_MODEL), graph)
    names = zoo_names()
    if source not in names and not path.exists():
        raise ModelError("no such model", where=source, hint=did_you_mean(source, names))
    return _load_model_folder(source)


def zoo_names() -> list[str]:
    """Names of the models that ship with edgetx."""
    return sorted(path.parent.name for path in data_dir("models").glob("*/recipe.toml"))


def is_untrained_recipe(source: str) -> bool:
    """Whether a source is a recipe beside which there are no weights."""
    if Path(source).suffix in FILE_LOADERS:
        return False
    try:
        folder = recipe_path(source).parent
    except ConfigError:
        return False
    return not any((folder / name).is_file() for name in (WEIGHTS, GRAPH))


def _load_model_folder(source: str) -> Source:
    recipe = load_recipe(source)
    folder = recipe_path(source).parent
    compressed = (folder / GRAPH).is_file()
    graph, calibration = _compressed(folder, recipe) if compressed else _exported(source, recipe)
    metrics, plan = folder / "metrics.json", folder / PLAN
    return Source(
        kind="zoo" if folder.parent == data_dir("models") else "folder",
        name=recipe.name,
        sha256=_digest(folder / (GRAPH if compressed else WEIGHTS)),
        graph=graph,
        recipe=recipe,
        calibration=calibration,
        metrics=json.loads(metrics.read_text(encoding="utf-8")) if metrics.is_file() else {},
        plan=read_plan(plan) if plan.is_file() else None,
    )


def _exported(source: str, recipe: Recipe) -> tuple[Graph, Array]:
    from edgetx.frontends.torch import export_module
    from edgetx.nn.zoo import load_zoo_model

    module, _, calibration = load_zoo_model(source)
    return export_module(module, calibration[:1], recipe.name), calibration


def _compressed(folder: Path, recipe: Recipe) -> tuple[Graph, Array]:
    calibration = load_npz(folder / "calibration.npz", recipe.input_shape)
    return load_graph(folder / GRAPH, REGISTRY), np.asarray(calibration.x)


def read_plan(path: Path) -> QuantPlan:
    """Read a `plan.json`.

    Raises:
        ModelError: If it is not one.
        QuantError: If it holds what is no quantization.
    """
    try:
        return QuantPlan.from_json(json.loads(path.read_text(encoding="utf-8")), str(path))
    except (OSError, ValueError) as problem:
        raise ModelError(f"not a quantization plan: {problem}", where=str(path)) from problem


def _load_pt2(path: Path, _: Mapping[str, str], __: Note) -> Graph:
    from edgetx.frontends.torch import load_pt2

    return load_pt2(path)


def _load_tflite(path: Path, inputs: Mapping[str, str], note: Note) -> Graph:
    from edgetx.frontends.tflite import load_tflite

    return load_tflite(path, inputs, note)


def _load_onnx(path: Path, inputs: Mapping[str, str], note: Note) -> Graph:
    from edgetx.frontends.onnx import load_onnx

    return load_onnx(path, inputs, note)


def _load_keras(path: Path, inputs: Mapping[str, str], _: Note) -> Graph:
    from edgetx.frontends.keras import load_keras

    return load_keras(path, inputs)


def _load_nir(path: Path, _: Mapping[str, str], __: Note) -> Graph:
    from edgetx.frontends.nir import load_nir

    return load_nir(path)


Loader = Callable[[Path, Mapping[str, str], Note], Graph]

FILE_LOADERS: dict[str, Loader] = {
    ".h5": _load_keras,
    ".keras": _load_keras,
    ".nir": _load_nir,
    ".onnx": _load_onnx,
    ".pb": _load_keras,
    ".pt2": _load_pt2,
    ".tflite": _load_tflite,
}
"""Importer of each kind of file."""
OPEN = (".h5", ".keras", ".onnx", ".pb", ".tflite")
"""Kinds of which inputs may have axes without a size."""


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
