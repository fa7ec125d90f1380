"""A trained model as compression takes it: its canonical float graph, with where it came from."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from edgetx.compiler.source import load_source
from edgetx.compress.views import Views
from edgetx.errors import ConfigError
from edgetx.ir import Array, Graph
from edgetx.passes.pipeline import canonicalize
from edgetx.recipe import Recipe, recipe_path
from edgetx.train.graph import GraphModule

_BATCH = 256


@dataclass(frozen=True)
class Trained:
    """A trained model.

    Attributes:
        graph: Its canonical float graph.
        recipe: What its input is and how it was trained.
        text: Contents of its recipe.toml.
        calibration: Model inputs that came with it.
        metrics: Contents of its metrics.json, if it has one.
    """

    graph: Graph
    recipe: Recipe
    text: str
    calibration: Array
    metrics: Mapping[str, object] = field(default_factory=dict)


def load_trained(source: str) -> Trained:
    """A model folder or a model of the zoo.

    Raises:
        ConfigError: If the source has no recipe, which says what its audio becomes.
        EdgetxError: If it cannot be loaded.
    """
    loaded = load_source(source)
    if loaded.recipe is None:
        hint = "compress a model folder; `edgetx new recipe` makes one to start from"
        raise ConfigError("a model file has no recipe that says how it hears audio", where=source, hint=hint)
    text = recipe_path(source).read_text(encoding="utf-8")
    return Trained(canonicalize(loaded.graph), loaded.recipe, text, loaded.calibration, loaded.metrics)


def taught_by(graph: Graph, views: Views) -> Views:
    """The views with a graph's own answers for a teacher's."""
    return Views(views.x, views.y, torch.stack([answers(graph, view) for view in views.x]))


def answers(graph: Graph, x: Tensor) -> Tensor:
    """Logits of a float graph."""
    module = GraphModule(graph)
    with torch.inference_mode():
        return torch.cat([module(batch) for batch in torch.split(x, _BATCH)])
