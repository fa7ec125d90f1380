"""`targets/measurements/*.toml`: published timings of programs on silicon, with their sources."""

from dataclasses import dataclass

from edgetx.config import load_toml, parse
from edgetx.errors import TargetError
from edgetx.resources import data_dir


@dataclass(frozen=True)
class Measurement:
    """One program on one board.

    Attributes:
        core: The core.
        board: The board; a target of that name exists if we ship one.
        clock_hz: Clock of the measurement.
        runtime: Library, submitter and version, or the program's name.
        milliseconds: Time of one run.
    """

    core: str
    board: str
    clock_hz: int
    runtime: str
    milliseconds: float

    @property
    def cycles(self) -> int:
        """Cycles of one run."""
        return round(self.milliseconds * self.clock_hz / 1000)


@dataclass(frozen=True)
class Measurements:
    """A file of measurements of one program."""

    program: str
    source: str
    measurement: tuple[Measurement, ...]


def load_measurements() -> dict[str, Measurements]:
    """All files, by name.

    Raises:
        TargetError: If one is not valid.
    """
    paths = sorted((data_dir("targets") / "measurements").glob("*.toml"))
    files = {path.stem: load_toml(path, TargetError) for path in paths}
    return {name: parse(data, Measurements, name, TargetError) for name, data in files.items() if "program" in data}
