"""How far the simulated cycles have been from silicon, core by core."""

from dataclasses import dataclass

from edgetx.config import load_toml, parse
from edgetx.errors import TargetError
from edgetx.resources import data_dir

Json = dict[str, object]


@dataclass(frozen=True)
class Comparison:
    """One image that was measured on silicon and simulated.

    Attributes:
        image: What ran.
        measured_cycles: Cycles on silicon.
        simulated_cycles: Cycles simulated.
    """

    image: str
    measured_cycles: int
    simulated_cycles: int

    @property
    def error(self) -> float:
        """Relative error of the simulation."""
        return self.simulated_cycles / self.measured_cycles - 1


@dataclass(frozen=True)
class Validation:
    """`targets/measurements/<core>.toml`: the comparisons made for a core, and where the measurements are from."""

    core: str
    source: str
    comparison: tuple[Comparison, ...] = ()


def validation_of(core: str) -> Json:
    """The validation line of a profile; figures are None where nothing has been compared yet."""
    path = data_dir("targets") / "measurements" / f"{core}.toml"
    if not path.exists():
        return {"cases": 0, "mape": None, "worst": None, "source": None}
    validation = parse(load_toml(path, TargetError), Validation, path.stem, TargetError)
    return summary(validation.comparison, validation.source)


def summary(comparisons: tuple[Comparison, ...], source: str) -> Json:
    """Mean and worst absolute error."""
    errors = [abs(comparison.error) for comparison in comparisons]
    mean = sum(errors) / len(errors) if errors else None
    return {"cases": len(errors), "mape": mean, "worst": max(errors, default=None), "source": source}
