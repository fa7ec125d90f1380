"""Quantization recipes by name: `static_wi8_ai8`, `static_wi8_ai16`, `static_wi8_mixed`."""

from dataclasses import dataclass
from typing import Literal

from edgetx.config import did_you_mean
from edgetx.errors import ConfigError

Method = Literal["minmax", "percentile", "mse"]
METHODS: tuple[Method, ...] = ("minmax", "percentile", "mse")
RECIPES = ("static_wi8_ai8", "static_wi8_ai16", "static_wi8_mixed")


@dataclass(frozen=True)
class QuantRecipe:
    """What to quantize to.

    Attributes:
        activation_bits: Width of activations where the ops allow it: 8 or 16.
        method: How the range of an activation follows from what was observed.
        raised: Names of activations that have 16 bits where the ops allow it, whatever the others have.
        mixed: Whether those are to be found that are worth it.
        extra_cycles: What they may add then, as a share of the cycles with 8 bits.
    """

    activation_bits: int = 8
    method: Method = "mse"
    raised: frozenset[str] = frozenset()
    mixed: bool = False
    extra_cycles: float = 0.25

    @property
    def name(self) -> str:
        """The recipe's name."""
        return "static_wi8_mixed" if self.mixed else f"static_wi8_ai{self.activation_bits}"


def parse_recipe(name: str, method: str = "mse", extra_cycles: float = 0.25) -> QuantRecipe:
    """Recipe of a name such as `static_wi8_ai8`: static ranges, int8 weights, int8 activations.

    Raises:
        ConfigError: If the name or the method is unknown, or the share is none.
    """
    if name not in RECIPES:
        raise ConfigError(f"unknown recipe '{name}'", where="quantization.recipe", hint=f"known: {', '.join(RECIPES)}")
    if not 0 < extra_cycles < float("inf"):
        raise ConfigError(f"{extra_cycles} is no share of the cycles", where="quantization.extra_cycles", hint="0.25")
    for known in METHODS:
        if method == known:
            bits = 16 if name == "static_wi8_ai16" else 8
            return QuantRecipe(bits, known, mixed=name == "static_wi8_mixed", extra_cycles=extra_cycles)
    raise ConfigError(
        f"unknown calibration method '{method}'", where="quantization.calibration", hint=did_you_mean(method, METHODS)
    )
