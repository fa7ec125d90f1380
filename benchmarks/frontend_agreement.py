"""Whether the front end gives the same bits everywhere, over every recording of a folder.

    python benchmarks/frontend_agreement.py ../shared/data/audio > benchmarks/results/frontend_agreement.md

Counts the quantized features in which torch, C on this machine and C on simulated cores differ from the specification
in numpy. About seven minutes on one core for each front end and two hours of audio.
"""

import argparse
import sys
import time
from pathlib import Path

from edgetx.recipe import FRONT_ENDS

sys.path.append(str(Path(__file__).parents[1] / "tests" / "audio"))
from agreement import compare

BOARDS = ("nucleo-g0b1re", "nucleo-l4r5zi")


def main() -> None:
    parser = argparse.ArgumentParser(description="Count values in which front ends differ.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--presets", default=",".join(FRONT_ENDS))
    parser.add_argument("--boards", default=",".join(BOARDS))
    options = parser.parse_args()
    boards = tuple(options.boards.split(","))
    print(f"| front end | hours of audio | values | {' | '.join(('torch', 'host C', *boards))} |")
    print(f"|---|{'---:|' * (4 + len(boards))}")
    for preset in options.presets.split(","):
        started = time.monotonic()
        result = compare(preset, options.folder, boards)
        counts = " | ".join(map(str, result.differing.values()))
        print(f"| {preset} | {result.hours:.2f} | {result.values:,} | {counts} |", flush=True)
        print(f"{preset}: {time.monotonic() - started:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
