"""The rows that `methods.py` computed, as tables with 95 % intervals of the mean over seeds (Student's t).

    python benchmarks/compression/tables.py build/methods

Differences are taken seed by seed. One whose interval holds 0 is no difference that these seeds show.
"""

import argparse
import json
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from scipy.stats import t as student_t

Row = Mapping[str, float]
Rows = Mapping[int, Row]
SIZES = {
    "parameters": "parameters",
    "macs": "MACs",
    "graph_bytes": "float graph, bytes",
    "weights_bytes": "weights and front end in flash, bytes",
    "flash_bytes": "flash, bytes",
    "arena_bytes": "arena, bytes",
    "ram_bytes": "RAM, bytes",
    "cycles": "cycles",
}


def load(folder: Path) -> dict[str, Rows]:
    """Rows by arm and seed."""
    arms: dict[str, dict[int, Row]] = {}
    for path in sorted(folder.glob("*.json")):
        arm, _, seed = path.stem.rpartition("-")
        arms.setdefault(arm, {})[int(seed)] = json.loads(path.read_text(encoding="utf-8"))
    return {arm: dict(sorted(rows.items())) for arm, rows in arms.items()}


def mean_interval(values: Sequence[float]) -> tuple[float, float]:
    """Mean and half the width of its 95 % interval."""
    if len(values) < 2:
        return statistics.fmean(values), math.inf
    half = float(student_t.ppf(0.975, len(values) - 1)) * statistics.stdev(values) / math.sqrt(len(values))
    return statistics.fmean(values), half


def percent(values: Sequence[float]) -> str:
    """Mean accuracy and its interval."""
    mean, half = mean_interval(values)
    return f"{mean:.2%}" + (f" ± {100 * half:.2f}" if len(values) > 1 else "")


def points(differences: Sequence[float]) -> str:
    """Mean difference in points, its interval, and whether it holds 0."""
    mean, half = mean_interval(differences)
    if len(differences) < 2:
        return f"{100 * mean:+.2f}, one seed"
    clear = "" if abs(mean) > half else ", not clear of 0"
    return f"{100 * mean:+.2f} ± {100 * half:.2f}{clear}"


def against(rows: Rows, base: Rows, key: str) -> list[float]:
    """Differences of the seeds that both have."""
    return [rows[seed][key] - base[seed][key] for seed in rows if seed in base]


def arms_table(arms: Mapping[str, Rows], base: str, columns: Mapping[str, Callable[[Rows], str]]) -> None:
    """One row per arm, with the difference of its test accuracy from that of the base."""
    print("| | seeds | " + " | ".join(columns) + f" | against {base}, points |")
    print("|--|--:|" + "--:|" * (len(columns) + 1))
    for arm, rows in sorted(arms.items(), key=lambda item: item[0] != base):
        gain = "" if arm == base else points(against(rows, arms[base], "test"))
        print(f"| {arm} | {len(rows)} | " + " | ".join(show(rows) for show in columns.values()) + f" | {gain} |")
    print()


def accuracy(key: str) -> Callable[[Rows], str]:
    """A column of accuracies."""
    return lambda rows: percent([row[key] for row in rows.values()])


def average(key: str) -> Callable[[Rows], str]:
    """A column of whole numbers."""
    return lambda rows: f"{statistics.fmean(row[key] for row in rows.values()):,.0f}"


def distillation(arms: Mapping[str, Rows]) -> None:
    """What students of one size learn from."""
    arms_table(arms, "labels", {"test, float": accuracy("test"), "test, int8": accuracy("test_int8")})


def pruning(arms: Mapping[str, Rows]) -> None:
    """Rules of pruning at one number of cycles, then what became smaller."""
    before = next(iter(arms.values()))
    cycles, test = average("before_cycles")(before), accuracy("before_test")(before)
    print(f"Before pruning: {cycles} cycles, test accuracy {test}.\n")
    columns = {"cycles": average("cycles"), "parameters": average("parameters"), "test, float": accuracy("test")}
    arms_table(arms, "magnitude", columns)
    print("What is left of it:\n")
    print("| | before | " + " | ".join(arms) + " |\n|--|--:|" + "--:|" * len(arms))
    for key, title in SIZES.items():
        left = (_left(rows, key) for rows in arms.values())
        print(f"| {title} | {average(f'before_{key}')(before)} | " + " | ".join(left) + " |")
    print()


def _left(rows: Rows, key: str) -> str:
    return f"{statistics.fmean(row[key] / row[f'before_{key}'] for row in rows.values()):.0%}"


def quantization(arms: Mapping[str, Rows]) -> None:
    """Integers after and with training."""
    print("| | seeds | test, float | quantized after training | with training | gain, points |")
    print("|--|--:|--:|--:|--:|--:|")
    for arm, rows in arms.items():
        shown = (accuracy(f"test_{key}")(rows) for key in ("float", "after", "aware"))
        gain = points([row["test_aware"] - row["test_after"] for row in rows.values()])
        print(f"| {arm} | {len(rows)} | " + " | ".join(shown) + f" | {gain} |")
    print()


def main() -> None:
    """Print all tables for which there are rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    options = parser.parse_args()
    for student in sorted(path for path in options.work.iterdir() if path.is_dir()):
        for experiment, show in (("distillation", distillation), ("pruning", pruning), ("quantization", quantization)):
            if arms := load(student / experiment):
                print(f"### {experiment.capitalize()}, `{student.name}.toml`\n")
                show(arms)


if __name__ == "__main__":
    main()
