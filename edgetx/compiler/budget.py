"""Budgets: how much memory and time a model may take."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edgetx.config import did_you_mean
from edgetx.errors import ConfigError, FitError

UNITS = {"": 1, "b": 1, "k": 1024, "kb": 1024, "m": 1024**2, "mb": 1024**2}
TIMES_US = {"us": 1.0, "ms": 1e3, "s": 1e6}


@dataclass(frozen=True)
class Budget:
    """Upper limits; None where there is none.

    Attributes:
        ram_bytes: Arena, states, variables and stack.
        flash_bytes: Code and weights.
        latency_us: One invocation at the target's clock.
    """

    ram_bytes: int | None = None
    flash_bytes: int | None = None
    latency_us: float | None = None

    def check(self, report: Mapping[str, Any]) -> None:
        """Compare with what was measured.

        Raises:
            FitError: If a limit is exceeded, or what it limits was not measured.
        """
        stage, profile = report["stages"][-1], report["profile"] or {}
        self._check("ram", stage["ram_bytes"], self.ram_bytes, "bytes")
        self._check("flash", stage["flash_bytes"], self.flash_bytes, "bytes")
        self._check("latency", profile.get("latency_us"), self.latency_us, "µs")

    def _check(self, what: str, measured: float | None, limit: float | None, unit: str) -> None:
        if limit is None:
            return
        if measured is None:
            raise FitError(
                f"{what} was not measured", where="--budget", hint="compile to c for a microcontroller target"
            )
        if measured > limit:
            raise FitError(f"needs {measured:,.0f} {unit} of {what}, the budget is {limit:,.0f}", where="--budget")


def parse_budget(text: str) -> Budget:
    """A budget such as `ram=64K,flash=256K,latency=40ms`.

    Raises:
        ConfigError: If a limit is unknown or not a quantity.
    """
    limits: dict[str, float] = {}
    for word in filter(None, map(str.strip, text.split(","))):
        key, _, quantity = word.partition("=")
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-zµ]*)", quantity.strip().lower())
        units: Mapping[str, float] = TIMES_US if key == "latency" else UNITS
        if key not in ("ram", "flash", "latency"):
            raise ConfigError(
                f"unknown limit '{key}'", where="--budget", hint=did_you_mean(key, ("ram", "flash", "latency"))
            )
        if match is None or match[2].replace("µ", "u") not in units:
            raise ConfigError(
                f"not a quantity: '{word}'", where="--budget", hint="for example ram=64K,flash=256K,latency=40ms"
            )
        limits[key] = float(match[1]) * units[match[2].replace("µ", "u")]
    ram, flash = (int(limits[key]) if key in limits else None for key in ("ram", "flash"))
    return Budget(ram, flash, limits.get("latency"))
