"""Quantization recipes by name: `static_wi8_ai8`, `static_wi8_ai16`."""

import re
from dataclasses import dataclass
from typing import Literal

from edgetx.config import did_you_mean
from edgetx.errors import ConfigError

Method = Literal["minmax", "percentile", "mse"]
METHODS: tuple[Method, ...] = ("minmax", "percentile", "mse")


@dataclass(frozen=True)
class QuantRecipe:
    """What to quantize to.

    Attributes:
        activation_bits: Width of activations where the ops allow it: 8 or 16.
        method: How the range of an activation follows from what was observed.
    """

    activation_bits: int = 8
    method: Method = "mse"

    @property
    def name(self) -> str:
        """The recipe's name."""
        return f"static_wi8_ai{self.activation_bits}"


def parse_recipe(name: str, method: str = "mse") -> QuantRecipe:
    """Recipe of a name such as `static_wi8_ai8`: static ranges, int8 weights, int8 activations.

    Raises:
        ConfigError: If the name or the method is unknown.
    """
    match = re.fullmatch(r"static_wi8_ai(8|16)", name)
    if match is None:
        raise ConfigError(
            f"unknown recipe '{name}'", where="quantization.recipe", hint="known: static_wi8_ai8, static_wi8_ai16"
        )
    for known in METHODS:
        if method == known:
            return QuantRecipe(int(match[1]), known)
    raise ConfigError(
        f"unknown calibration method '{method}'", where="quantization.calibration", hint=did_you_mean(method, METHODS)
    )
