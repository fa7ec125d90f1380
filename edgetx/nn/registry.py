"""Architectures and presets by the name that a recipe gives."""

from dataclasses import dataclass, field
from typing import Any

from torch import nn

from edgetx.config import did_you_mean, parse
from edgetx.errors import ConfigError
from edgetx.nn.bc_resnet import BcResNet, BcResNetOptions
from edgetx.nn.ds_cnn import DsCnn, DsCnnOptions
from edgetx.nn.encoder import Encoder, EncoderOptions
from edgetx.nn.presets import ENCODERS
from edgetx.recipe import Recipe


@dataclass(frozen=True)
class Architecture:
    """A module class with its options dataclass, and the options that a preset fixes.

    The class is called with the input shape (frames, features), the number of classes and the options.
    """

    module: type[nn.Module]
    options: type[Any]
    preset: dict[str, object] = field(default_factory=dict)


ARCHITECTURES: dict[str, Architecture] = {
    **{name: Architecture(Encoder, EncoderOptions, preset) for name, preset in ENCODERS.items()},
    "ds-cnn": Architecture(DsCnn, DsCnnOptions),
    **{f"bc-resnet-{scale}": Architecture(BcResNet, BcResNetOptions, {"scale": scale}) for scale in (1, 2, 3, 6, 8)},
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
