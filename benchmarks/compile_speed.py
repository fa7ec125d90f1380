"""How long `edgetx compile` takes, stage by stage, after imports.

python benchmarks/compile_speed.py [MODEL] [TARGET] > benchmarks/results/compile_speed.md
"""

import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import torch  # noqa: F401  imported first, so that no stage pays for it

from edgetx.compiler import CompileOptions, compile_model
from edgetx.targets import load_target


def main(model: str = "kws-transformer-micro", target: str = "nucleo-l4r5zi") -> None:
    marks: list[tuple[str, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        options = CompileOptions(model, load_target(target), Path(folder) / "out")
        compile_model(options, lambda stage: marks.append((stage, time.perf_counter())))
    marks.append(("", time.perf_counter()))
    total = marks[-1][1] - marks[0][1]
    print(f"`{model}` for `{target}`: {total:.1f} s after imports\n\n| stage | share | s |\n|--|--:|--:|")
    for (stage, start), (_, end) in pairwise(marks):
        print(f"| {stage} | {(end - start) / total:.0%} | {end - start:.2f} |")


if __name__ == "__main__":
    main(*sys.argv[1:])
