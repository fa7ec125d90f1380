"""Architectures and presets by the name that a recipe gives."""

from dataclasses import dataclass, field
from typing import Any

from torch import nn

from edgetx.config import did_you_mean, parse
from edgetx.errors import ConfigError
from edgetx.nn.ds_cnn import DsCnn, DsCnnOptions
from edgetx.nn.keyword_transformer import KeywordTransformer, KeywordTransformerOptions
from edgetx.recipe import Recipe


@dataclass(frozen=True)
class Architecture:
    """A module class with its options dataclass, and the options that a preset fixes.

    The class is called with the input shape (frames, features), the number of classes and the options.
    """

    module: type[nn.Module]
    options: type[Any]
    preset: dict[str, object] = field(default_factory=dict)


def _kwt(**preset: object) -> Architecture:
    return Architecture(KeywordTransformer, KeywordTransformerOptions, preset)


_TINY_BERT = {"layers": 2, "heads": 2, "qkv_bias": True}

ARCHITECTURES: dict[str, Architecture] = {
    "keyword_transformer": _kwt(),
    "kwt-1": _kwt(width=64, heads=1, mlp=256),
    "kwt-2": _kwt(width=128, heads=2, mlp=512),
    "kwt-3": _kwt(width=192, heads=3, mlp=768),
    "kwt-micro-32": _kwt(width=32, layers=4, mlp=64),
    "kwt-micro-48": _kwt(width=48, layers=4, mlp=96),
    "kwt-micro-64": _kwt(width=64, layers=4, mlp=128),
    "tt-6k": _kwt(width=16, mlp=32, **_TINY_BERT),
    "tt-20k": _kwt(width=32, mlp=64, **_TINY_BERT),
    "ds-cnn": Architecture(DsCnn, DsCnnOptions),
}


def build(recipe: Recipe) -> nn.Module:
    """The recipe's model with fresh weights.

    Raises:
        ConfigError: If the architecture or one of its options is unknown or impossible.
    """
    name = recipe.model.architecture
    if name not in ARCHITECTURES:
        raise ConfigError(
            f"unknown architecture '{name}'",
            where=f"{recipe.name}.model.architecture",
            hint=did_you_mean(name, ARCHITECTURES),
        )
    architecture = ARCHITECTURES[name]
    where = f"{recipe.name}.model.options"
    try:
        options = parse({**architecture.preset, **recipe.model.options}, architecture.options, where)
        return architecture.module(recipe.input_shape, len(recipe.data.classes), options)
    except ValueError as problem:
        raise ConfigError(str(problem), where=where) from problem
