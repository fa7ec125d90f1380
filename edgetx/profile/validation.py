"""How far the simulated cycles have been from silicon, core by core."""

from collections.abc import Sequence
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
        return error_summary([], None)
    validation = parse(load_toml(path, TargetError), Validation, path.stem, TargetError)
    return error_summary([comparison.error for comparison in validation.comparison], validation.source)


def error_summary(errors: Sequence[float], source: str | None) -> Json:
    """Mean and worst absolute error."""
    sizes = [abs(error) for error in errors]
    mean = sum(sizes) / len(sizes) if sizes else None
    return {"cases": len(sizes), "mape": mean, "worst": max(sizes, default=None), "source": source}
