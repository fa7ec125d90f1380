"""The three forms of a model that a phone can run, on this machine: answers against the integer reference, and time.

    edgetx compile kws-transformer-micro --target phone-cortex-a55 -o build/phone
    python benchmarks/phone_routes.py build/phone … > benchmarks/results/phone_routes.md

One thread each; LiteRT and ONNX Runtime as they come, with the kernels of the processor and their optimizations. The
times are medians of 300 invocations in turns, and say something about this machine only: its processor is no phone's.
"""

import platform
import statistics
import sys
import time
from pathlib import Path

import numpy as np

from edgetx.compiler import load_artifact
from edgetx.compiler.artifact import Artifact
from edgetx.compiler.verification import make_cases
from edgetx.ir import Arrays
from edgetx.runtimes.litert import LitertRuntime
from edgetx.runtimes.onnxruntime import OnnxRuntime
from edgetx.runtimes.reference import ReferenceRuntime
from edgetx.runtimes.runtime import Runtime

CASES, REPEATS = 64, 300


def routes(artifact: Artifact) -> dict[str, Runtime]:
    """The forms of a folder, each in its runtime."""
    tflite, onnx = (artifact.file(name).read_bytes() for name in ("model.tflite", "model.onnx"))
    return {
        "C, plain, for this machine": artifact.runtime("c"),
        "LiteRT": LitertRuntime(tflite, optimize=True),
        "ONNX Runtime": OnnxRuntime(onnx, integer=True, optimize=True),
    }


def milliseconds(runtimes: dict[str, Runtime], case: Arrays) -> dict[str, float]:
    """Medians of invocations that take turns."""
    spent: dict[str, list[float]] = {name: [] for name in runtimes}
    for _ in range(REPEATS):
        for name, runtime in runtimes.items():
            begin = time.perf_counter()
            runtime.run(case)
            spent[name].append(1e3 * (time.perf_counter() - begin))
    return {name: statistics.median(all_) for name, all_ in spent.items()}


def main() -> None:
    print(f"# Routes to a phone\n\n{__doc__}\nMeasured on {platform.machine()}, Python {platform.python_version()}.\n")
    print("| model | route | cases that differ | largest | same class | ms |\n|---|---|--:|--:|--:|--:|")
    for folder in map(Path, sys.argv[1:]):
        artifact = load_artifact(folder)
        cases = make_cases(artifact.graph, (), CASES)
        expected = [ReferenceRuntime(artifact.graph).run(case)[0] for case in cases]
        runtimes = routes(artifact)
        times = milliseconds(runtimes, cases[0])
        for name, runtime in runtimes.items():
            found = [runtime.run(case)[0] for case in cases]
            steps = [np.abs(a.astype(int) - b.astype(int)).max() for a, b in zip(expected, found, strict=True)]
            same = sum(a.argmax() == b.argmax() for a, b in zip(expected, found, strict=True))
            row = f"{sum(s > 0 for s in steps)} of {CASES} | {max(steps)} LSB | {same} | {times[name]:.3f}"
            print(f"| {artifact.report['source']['name']} | {name} | {row} |", flush=True)


if __name__ == "__main__":
    main()
