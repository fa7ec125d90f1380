"""What becomes of each of many model files: refused, or imported, compared with its runtime, quantized, written as C.

`python benchmarks/foreign_models/survey.py FILE … > rows.jsonl`; `summary.py rows.jsonl …` counts them. With `--build`
the C is compiled for this machine, every warning an error, and run against the integer graph.
"""

import argparse
import contextlib
import json
import tempfile
import time
import traceback
from pathlib import Path

import numpy as np

from edgetx.backends.c import emit_c, write_c
from edgetx.compiler.quantized import integer_model
from edgetx.compiler.source import load_source
from edgetx.compiler.source_check import SourceCheck, compare, kind_of, open_source, random_cases
from edgetx.errors import EdgetxError, ModelError
from edgetx.firmware.host import build_host_library
from edgetx.fixedpoint import dequantize
from edgetx.fixedpoint import quantize as stored
from edgetx.ir import Graph
from edgetx.quant import QuantRecipe
from edgetx.reference import execute, initial_state
from edgetx.runtimes.host_c import HostC

CASES = 4
OPEN = {"dynamic_time": {"serving_default_keras_tensor": "40"}, "gatedrate": {"sr": "16000"}}
"""Sizes of axes that a model leaves open, and inputs that are constants."""


def samples(path: Path) -> list:
    with np.load(path.with_name(path.name.split(".")[0] + ".npz")) as file:
        return [file[name] for name in sorted(file.files)]


def in_order(graph: Graph, data: list) -> list:
    """The inputs in the order of the graph, if their sizes tell them apart."""
    by_size = {x[0].size: x for x in data}
    sizes = [v.type.size for v in graph.inputs]
    return (
        [by_size[n] for n in sizes] if len(by_size) == len(data) == len(sizes) and set(sizes) == set(by_size) else data
    )


def inputs_of(graph: Graph, data: list) -> list[tuple]:
    """Recorded inputs in the graph's types; random ones where they do not fit."""
    if len(data) != len(graph.inputs) or any(x[0].size != v.type.size for x, v in zip(data, graph.inputs, strict=True)):
        return random_cases(graph, CASES)
    cases = []
    for i in range(min(CASES, len(data[0]))):
        row = [x[i].reshape(v.shape) for x, v in zip(data, graph.inputs, strict=True)]
        cases.append(tuple(
            stored(x, v.type.scale, v.type.zero_point, v.type.dtype) if v.type.quant else x
            for x, v in zip(row, graph.inputs, strict=True)
        ))  # fmt: skip
    return [*cases[: CASES // 2], *random_cases(graph, CASES // 2)]


def survey(path: Path, build: bool) -> dict:
    start, row = time.perf_counter(), {"file": path.name}
    try:
        row |= attempt(path, build)
    except EdgetxError as error:
        row |= {"outcome": "refused", "reason": f"{error.where}: {error.what}", "hint": error.hint}
    except Exception as problem:
        at = traceback.extract_tb(problem.__traceback__)[-1]
        row |= {"outcome": "crash", "reason": f"{type(problem).__name__}: {problem} ({at.filename}:{at.lineno})"}
    return {**row, "seconds": round(time.perf_counter() - start, 2)}


def attempt(path: Path, build: bool) -> dict:
    settings = OPEN.get(path.name.split(".")[0], {})
    source = load_source(str(path), settings)
    graph = source.graph
    data = in_order(graph, samples(path))
    check: SourceCheck | None = None
    with contextlib.suppress(ModelError):
        runtime = open_source(path, graph, settings, source.requantized)
        if runtime is not None:
            check = compare(runtime, graph, inputs_of(graph, data), kind_of(path, source))
    row = {
        "check": vars(check) if check else None,
        "kind": "float" if graph.outputs[0].type.is_float else "integer",
        "notes": source.notes,
    }
    try:
        samples_end_to_end = np.concatenate([x.reshape(len(x), -1) for x in data], 1)
        model = integer_model(graph, samples_end_to_end, QuantRecipe())
        integer = model.graph
        row["transposes"] = sum(node.op.name == "transpose" for node in integer.nodes)
        row["nodes"] = len(integer.nodes)
        if not model.imported:
            row["db"] = quantization_db(model, data)
        if build:
            row["c_mismatches"] = c_mismatches(integer, inputs_of(integer, data))
        else:
            emit_c(integer)
    except EdgetxError as error:
        return {**row, "outcome": "refused later", "reason": f"{error.where}: {error.what}", "hint": error.hint}
    if check and check.is_wrong and check.kind == "requantized":
        return {**row, "outcome": "refused later", "reason": "the integers of the file are far from its real numbers"}
    return {**row, "outcome": "wrong" if check and check.is_wrong else "compiles"}


def c_mismatches(graph: Graph, cases: list[tuple]) -> int:
    """Successive invocations on which the compiled C gives other integers than the graph."""
    with tempfile.TemporaryDirectory() as name:
        write_c(emit_c(graph), Path(name) / "c")
        c = HostC(build_host_library(Path(name) / "c", Path(name) / "model.so"), graph.inputs, graph.outputs)
    state = initial_state(graph)
    pairs = [(c.run(case), execute(graph, case, state)) for case in cases]
    return sum(any((a != b).any() for a, b in zip(found, wanted, strict=True)) for found, wanted in pairs)


def quantization_db(model, data: list) -> float:
    signal = noise = 0.0
    for case in zip(*(x[:CASES] for x in data), strict=True):
        real = [x.reshape(v.shape) for x, v in zip(case, model.float_graph.inputs, strict=True)]
        wanted = execute(model.float_graph, real)
        types = [v.type for v in model.graph.inputs]
        ints = [stored(x, t.scale, t.zero_point, t.dtype) for x, t in zip(real, types, strict=True)]
        for y, w, v in zip(execute(model.graph, ints), wanted, model.graph.outputs, strict=True):
            signal += float((w.astype(float) ** 2).sum())
            noise += float(((dequantize(y, v.type.scale, v.type.zero_point) - w) ** 2).sum())
    return round(10 * np.log10(max(signal, 1e-30) / max(noise, 1e-30)), 1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--build", action="store_true", help="compile the C and run it")
    options = parser.parse_args()
    for file in options.files:
        print(json.dumps(survey(file, options.build)), flush=True)
