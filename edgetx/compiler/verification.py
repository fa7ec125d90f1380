"""Compare what every runtime computes with the integer reference."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from edgetx.compiler.artifact import Artifact, report_name
from edgetx.errors import ModelError
from edgetx.ir import Array, Arrays, Graph, Node
from edgetx.ops import FullyConnected
from edgetx.runtimes.onnxruntime import tensor_differences
from edgetx.runtimes.reference import ReferenceRuntime
from edgetx.runtimes.runtime import Runtime

Progress = Callable[[str], None]
Json = dict[str, object]

TENSOR_CASES = 8
"""Cases on which every tensor of the ONNX file is compared."""


@dataclass(frozen=True)
class Comparison:
    """Outputs of a runtime against those expected, over a number of cases.

    Attributes:
        cases: Inputs compared.
        mismatches: Cases in which an output differs in any element.
        max_lsb: Largest difference of an element, in units of the last place.
        same_top1: Share of cases with the same largest output.
    """

    cases: int
    mismatches: int
    max_lsb: int
    same_top1: float

    @classmethod
    def of(cls, expected: Sequence[Arrays], found: Sequence[Arrays]) -> "Comparison":
        """Compare case by case."""
        differences = [_largest_difference(a, b) for a, b in zip(expected, found, strict=True)]
        same = [int(a[0].argmax()) == int(b[0].argmax()) for a, b in zip(expected, found, strict=True)]
        return cls(len(differences), sum(d > 0 for d in differences), max(differences), float(np.mean(same)))


def make_cases(graph: Graph, real: Sequence[Arrays], count: int, seed: int = 0) -> list[Arrays]:
    """Quantized inputs: real ones for at most half of `count`, then random ones over the full range."""
    generator = np.random.default_rng(seed)
    chosen = list(real[: count // 2])
    while len(chosen) < count:
        chosen.append(tuple(_random(generator, v.type.qmin, v.type.qmax, v.shape, v.type.dtype) for v in graph.inputs))
    return chosen


def verify_artifact(
    artifact: Artifact, cases: Sequence[Arrays], runtimes: Sequence[str], progress: Progress | None = None
) -> dict[str, Json]:
    """What each runtime makes of the cases.

    Args:
        artifact: A compiled folder.
        cases: Quantized inputs; models with state take them as one sequence.
        runtimes: Names out of `c`, `simulator`, `tflm`, `litert`, `onnxruntime`.
        progress: Called with the name of each runtime before it runs.

    Returns:
        Per runtime, under its name in the report, a `Comparison`. Runtimes of the TFLite file are compared with the
        graph of built-ins, which they must meet exactly, and as `contract_…` with the integer graph. ONNX Runtime is
        compared tensor by tensor, each op on the reference's own operands, and as `output_…` from end to end.
    """
    run = sequence_of if artifact.graph.states else outputs_of
    expected = run(ReferenceRuntime(artifact.graph), cases)
    results: dict[str, Json] = {}
    for name in runtimes:
        if progress:
            progress(name)
        found = run(artifact.runtime(name), cases)
        whole = Comparison.of(expected, found)
        if name in ("tflm", "litert"):
            graph = as_tflm_rounds(artifact.tflite_graph) if name == "tflm" else artifact.tflite_graph
            legal = run(ReferenceRuntime(graph), cases)
            contract = {"contract_max_lsb": whole.max_lsb, "contract_same_top1": whole.same_top1}
            results[name] = {**vars(Comparison.of(legal, found)), **contract}
        elif name == "onnxruntime":
            worst = tensor_differences(artifact.graph, artifact.file("model.onnx").read_bytes(), cases[:TENSOR_CASES])
            end_to_end = {"output_max_lsb": whole.max_lsb, "output_mismatches": whole.mismatches}
            results[name] = {**vars(whole), "max_lsb": max(worst.values(), default=0), **end_to_end}
        else:
            results[report_name(name)] = dict(vars(whole))
    return results


def as_tflm_rounds(graph: Graph) -> Graph:
    """The graph with all fully connected layers rounded twice, also those that came with LiteRT's rounding."""

    def twice(node: Node) -> Node:
        return replace(node, op=replace(node.op, rounding="twice")) if isinstance(node.op, FullyConnected) else node

    return replace(graph, nodes=tuple(map(twice, graph.nodes)))


def disagreements(results: Mapping[str, Mapping[str, object]]) -> ModelError | None:
    """The error for runtimes that must be bit-exact and are not, or ONNX tensors more than one step away."""
    inexact = [name for name, row in results.items() if name != "onnxruntime" and row["mismatches"]]
    if results.get("onnxruntime", {}).get("max_lsb", 0) not in (0, 1):
        inexact.append("onnxruntime")
    if not inexact:
        return None
    return ModelError(f"differs from the integer reference: {', '.join(inexact)}", hint="please report this model")


def outputs_of(runtime: Runtime, cases: Sequence[Arrays]) -> list[Arrays]:
    """Outputs of each case from a fresh state."""
    results = []
    for case in cases:
        runtime.reset()
        results.append(runtime.run(case))
    return results


def sequence_of(runtime: Runtime, cases: Sequence[Arrays]) -> list[Arrays]:
    """Outputs of successive cases, the state kept from one to the next."""
    runtime.reset()
    return [runtime.run(case) for case in cases]


def _random(generator: np.random.Generator, low: int, high: int, shape: tuple[int, ...], dtype: str) -> Array:
    return generator.integers(low, high, shape, dtype=dtype, endpoint=True)


def _largest_difference(a: Arrays, b: Arrays) -> int:
    pairs = zip(a, b, strict=True)
    return max(int(np.abs(x.astype(np.int64) - y.astype(np.int64)).max(initial=0)) for x, y in pairs)
