"""Simulate firmware that was measured on silicon: `python -m edgetx.profile.validate DIR`.

Every `*.toml` in the folder describes one image:

    image = "kws.bin"                # next to the TOML file
    target = "nucleo-l4r5zi"
    base = 0x0800_0000               # raw images only
    clock_hz = 80_000_000            # if not the target's
    peripherals = "board.py"         # defines attach(sim), which calls sim.map_mmio and the like
    call = "run_inference"           # a function to call and count, or:
    begin = "infer_begin"            # count from here (default: from reset) ...
    end = "infer_end"                # ... to here (default: to the end of the program)
    cycles = 5_182_388               # measured
    source = "…"

Symbols may be addresses. A peripherals script may define `measure(sim) -> int` instead, which returns the cycles.
"""

import argparse
import json
import runpy
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from edgetx.config import load_toml, parse
from edgetx.errors import ConfigError, EdgetxError
from edgetx.profile.simulator import Simulator
from edgetx.profile.validation import Comparison, error_summary
from edgetx.targets import load_target


@dataclass(frozen=True)
class Case:
    """One measured image; the keys are described above."""

    image: str
    target: str
    cycles: int
    source: str = ""
    base: int | None = None
    clock_hz: int | None = None
    peripherals: str | None = None
    call: str | int | None = None
    begin: str | int | None = None
    end: str | int | None = None


@dataclass(frozen=True)
class Outcome:
    """A case and what the simulator made of it."""

    name: str
    core: str
    comparison: Comparison | None
    problem: str = ""


def load_case(path: Path) -> Case:
    """Read a case.

    Raises:
        ConfigError: If the file is not valid.
    """
    data = dict(load_toml(path))
    places = {key: data.pop(key) for key in ("call", "begin", "end") if key in data}
    for key, value in places.items():
        if not isinstance(value, str | int):
            raise ConfigError(f"{key} must be a symbol or an address", where=str(path))
    return replace(parse(data, Case, path.name), **places)  # type: ignore[arg-type]


def run_case(case: Case, folder: Path) -> Comparison:
    """Simulate a case.

    Raises:
        EdgetxError: If its image does not run.
    """
    target = load_target(case.target)
    if case.clock_hz:
        target = replace(target, clock_hz=case.clock_hz)
    sim = Simulator(target, folder / case.image, case.base)
    script = _run_script(folder / case.peripherals) if case.peripherals else {}
    if "attach" in script:
        script["attach"](sim)
    measured = script["measure"](sim) if "measure" in script else _measure(sim, case)
    return Comparison(case.image, case.cycles, measured)


def validate(folder: Path) -> list[Outcome]:
    """Simulate every case of a folder; a case that fails is an outcome too.

    Raises:
        ConfigError: If the folder has no cases.
    """
    paths = sorted(folder.glob("*.toml"))
    if not paths:
        raise ConfigError("no *.toml with measured images", where=str(folder))
    return [_outcome(path) for path in paths]


def report(outcomes: list[Outcome]) -> dict[str, Any]:
    """Errors by image, and mean and worst error by core."""
    cores = sorted({outcome.core for outcome in outcomes if outcome.comparison})
    by_core = {
        core: error_summary([o.comparison.error for o in outcomes if o.comparison and o.core == core], "")
        for core in cores
    }
    for figures in by_core.values():
        figures.pop("source")
    return {"cases": [_row(outcome) for outcome in outcomes], "cores": by_core}


def _outcome(path: Path) -> Outcome:
    core = "?"
    try:
        case = load_case(path)
        core = load_target(case.target).core
        return Outcome(path.stem, core, run_case(case, path.parent))
    except EdgetxError as problem:
        return Outcome(path.stem, core, None, str(problem))


def _measure(sim: Simulator, case: Case) -> int:
    if case.call is not None:
        start = sim.cycles
        sim.call(_address(sim, case.call))
        return sim.cycles - start
    if case.begin is not None:
        sim.run(until=_address(sim, case.begin))
    start = sim.cycles
    sim.run(until=None if case.end is None else _address(sim, case.end))
    return sim.cycles - start


def _address(sim: Simulator, place: str | int) -> int:
    return sim.symbol(place) if isinstance(place, str) else place


def _run_script(path: Path) -> Mapping[str, Any]:
    if not path.exists():
        raise ConfigError("there is no such peripherals script", where=str(path))
    return runpy.run_path(str(path))


def _row(outcome: Outcome) -> dict[str, Any]:
    if outcome.comparison is None:
        return {"name": outcome.name, "core": outcome.core, "problem": outcome.problem}
    c = outcome.comparison
    figures = {"measured": c.measured_cycles, "simulated": c.simulated_cycles, "error": c.error}
    return {"name": outcome.name, "core": outcome.core, **figures}


def _print(result: Mapping[str, Any]) -> None:
    for row in result["cases"]:
        if "problem" in row:
            print(f"{row['name']:32} {row['core']:14} failed: {row['problem']}")
        else:
            print(
                f"{row['name']:32} {row['core']:14} measured {row['measured']:>14,}  "
                f"simulated {row['simulated']:>14,}  error {row['error']:+7.2%}"
            )
    for core, figures in result["cores"].items():
        print(f"{core}: MAPE {figures['mape']:.2%}, worst {figures['worst']:.2%} over {figures['cases']} images")


def main() -> int:
    """Compare the simulator with the measured images in a folder."""
    parser = argparse.ArgumentParser(prog="python -m edgetx.profile.validate", description=main.__doc__)
    parser.add_argument("folder", type=Path, help="folder of images with a TOML file each")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    arguments = parser.parse_args()
    try:
        outcomes = validate(arguments.folder)
    except EdgetxError as problem:
        print(f"error: {problem}", file=sys.stderr)
        return problem.exit_code
    result = report(outcomes)
    if arguments.json:
        print(json.dumps(result))
    else:
        _print(result)
    return 1 if any(outcome.comparison is None for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
