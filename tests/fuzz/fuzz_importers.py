"""Damaged model files through the importers: they are imported or refused, quickly and in little memory.

`python tests/fuzz/fuzz_importers.py --minutes 60` searches for longer; what it finds is written to a folder.
"""

import argparse
import random
import resource
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
from mutations import BYTES, mutate_onnx
from seeds import quantized_operators, recurrent, structures

from edgetx import ops
from edgetx.backends.onnx import write_onnx
from edgetx.backends.tflite import write_tflite
from edgetx.compiler.quantized import integer_model
from edgetx.errors import EdgetxError
from edgetx.frontends.onnx import import_onnx
from edgetx.frontends.tflite import importer as tflite_importer
from edgetx.frontends.tflite.file import Operator, Subgraph, Tensor, read_file
from edgetx.frontends.tflite.scope import HANDLERS
from edgetx.ir import Graph, GraphBuilder, QuantParams
from edgetx.ir.verify import FLOAT, INTEGER, verify
from edgetx.quant import QuantRecipe

ELEMENT_TYPES = ("INT8", "FLOAT32", "INT16", "INT32", "UINT8", "INT4", "STRING", "BOOL")
SCALES = (0.0, -1.0, 1e-30, 1e30, float("nan"), float("inf"), 0.5)
SECONDS = 20
LARGEST_SEED = 1 << 17
MEMORY = 4 << 30


Attempt = tuple[Callable[..., None], object]


class HangError(Exception):
    """An import that takes too long."""


def sample_graph() -> Graph:
    """A small integer network with a convolution, a pool, a layer and movement."""
    rng = np.random.default_rng(0)
    b = GraphBuilder("sample")
    quant, stored = QuantParams((0.05,), 3), QuantParams((0.1,), -7)
    x = b.input("x", (1, 8, 6, 2), "int8", quant)
    kernel = b.const(rng.integers(-127, 128, (4, 3, 3, 2)).astype(np.int8), "w", QuantParams((0.01,) * 4, 0, 0))
    bias = b.const(rng.integers(-99, 99, 4).astype(np.int32), "b", QuantParams((0.0005,) * 4, 0, 0))
    y = b.op(ops.Conv2D((2, 1), padding="same", activation="relu"), x, kernel, bias, quant=("int8", stored))
    y = b.op(ops.MaxPool2D((2, 2), (2, 2)), y, quant=("int8", stored))
    y = b.op(ops.StridedSlice((0, 0, 1, 0), (1, 2, 3, 4), (1, 1, 1, 1)), y)
    y = b.op(ops.Concatenation(1), y, y, quant=("int8", stored))
    y = b.op(ops.Reshape((1, 32)), b.op(ops.Transpose((0, 2, 1, 3)), y))
    w = b.const(rng.integers(-127, 128, (5, 32)).astype(np.int8), "w", QuantParams((0.02,)))
    y = b.op(ops.FullyConnected(), y, w, quant=("int8", stored))
    return b.graph(b.op(ops.Softmax(), y, quant=("int8", QuantParams((1 / 256,), -128))))


def checked(graph: Graph) -> None:
    """What the compiler does with an imported graph before it computes anything."""
    if graph.outputs[0].type.is_float:
        verify(graph, FLOAT)
    else:
        verify(graph, INTEGER)
        integer_model(graph, np.empty(0), QuantRecipe())


def try_tflite(content: bytes) -> None:
    """Import bytes as TFLite."""
    checked(tflite_importer.import_tflite(content, "fuzz"))


def try_onnx(content: bytes) -> None:
    """Import bytes as ONNX."""
    checked(import_onnx(content, "fuzz", {}))


def try_subgraphs(subgraphs: tuple[Subgraph, ...]) -> None:
    """Import TFLite subgraphs that were changed after reading."""
    checked(tflite_importer.import_subgraphs(subgraphs, "fuzz"))


def mutate_subgraphs(subgraphs: tuple[Subgraph, ...], rng: random.Random) -> tuple[Subgraph, ...]:
    """Operators that read and make other tensors, tensors of other shapes and types."""
    changed = list(subgraphs)
    for _ in range(rng.randint(1, 3)):
        index = rng.randrange(len(changed))
        changed[index] = _mutate_subgraph(changed[index], rng)
    return tuple(changed)


def _mutate_subgraph(graph: Subgraph, rng: random.Random) -> Subgraph:
    operators, tensors = list(graph.operators), list(graph.tensors)
    what = rng.randrange(5)
    if operators and what == 0:
        operators[rng.randrange(len(operators))] = _rewired(rng.choice(operators), len(tensors), rng)
    elif operators and what == 1:
        first, second = rng.randrange(len(operators)), rng.randrange(len(operators))
        operators[first], operators[second] = operators[second], operators[first]
    elif operators and what == 2:
        chosen = rng.randrange(len(operators))
        operators[chosen] = replace(operators[chosen], builtin=rng.choice(sorted(HANDLERS)))
    elif tensors:
        chosen = rng.randrange(len(tensors))
        tensors[chosen] = _changed(tensors[chosen], rng)
    return replace(graph, operators=tuple(operators), tensors=tuple(tensors))


def _rewired(operator: Operator, count: int, rng: random.Random) -> Operator:
    inputs = tuple(rng.randrange(-1, count) if rng.random() < 0.4 else index for index in operator.inputs)
    return replace(operator, inputs=inputs[: rng.randint(0, len(inputs) + 1)])


def _changed(tensor: Tensor, rng: random.Random) -> Tensor:
    match rng.randrange(4):
        case 0:
            return replace(tensor, shape=tuple(rng.choice((0, 1, 2, 3, 64, 4096)) for _ in range(rng.randint(0, 6))))
        case 1:
            return replace(tensor, type=rng.choice(ELEMENT_TYPES))
        case 2:
            zero_point = (rng.randint(-300, 300),) * 5
            return replace(tensor, scale=(rng.choice(SCALES),) * rng.randint(0, 5), zero_point=zero_point)
    return replace(tensor, data=rng.choice((None, b"", bytes(4), bytes([255]) * 16)))


def seeds() -> tuple[list[bytes], list[bytes]]:
    """TFLite and ONNX files to damage."""
    graph = sample_graph()
    return [write_tflite(graph)], [write_onnx(graph), quantized_operators(), recurrent(), structures()]


def attempts(rng: random.Random, tflite: list[bytes], onnx_files: list[bytes]) -> Iterator[Attempt]:
    """Endlessly an importer and something damaged for it."""
    read = list(readable(tflite))
    while True:
        kind = rng.randrange(4)
        if kind == 0:
            yield try_tflite, rng.choice(BYTES)(rng.choice(tflite), rng)
        elif kind == 1:
            yield try_onnx, rng.choice(BYTES)(rng.choice(onnx_files), rng)
        elif kind == 2:
            yield try_onnx, mutate_onnx(rng.choice(onnx_files), rng)
        else:
            yield try_subgraphs, mutate_subgraphs(rng.choice(read), rng)


def readable(files: list[bytes]) -> Iterator[tuple[Subgraph, ...]]:
    """What stands in those files that are not refused as they are."""
    for content in files:
        with suppress(EdgetxError):
            yield read_file(content)


def outcome(importer: Callable[..., None], damaged: object) -> str:
    """`imported`, `refused`, or what went wrong."""
    try:
        with time_limit():
            importer(damaged)
    except EdgetxError:
        return "refused"
    except Exception as problem:
        return f"{type(problem).__name__}: {problem}"
    return "imported"


@contextmanager
def time_limit() -> Iterator[None]:
    """Raise `HangError` in what takes too long."""

    def ring(*_: object) -> None:
        raise HangError(f"took more than {SECONDS} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def main() -> None:
    """Search for a while and report what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--models", type=Path, help="folder of more models to damage")
    parser.add_argument("--out", type=Path, default=Path("build/fuzz"))
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    tflite, onnx_files = seeds()
    if options.models:
        small = [path for path in options.models.iterdir() if path.is_file() and path.stat().st_size < LARGEST_SEED]
        tflite += [path.read_bytes() for path in small if path.suffix == ".tflite"]
        onnx_files += [path.read_bytes() for path in small if path.suffix == ".onnx"]
    end, counts = time.monotonic() + 60 * options.minutes, Counter[str]()
    for number, (importer, damaged) in enumerate(attempts(random.Random(options.seed), tflite, onnx_files)):
        result = outcome(importer, damaged)
        counts[result] += 1
        if result not in ("imported", "refused"):
            options.out.mkdir(parents=True, exist_ok=True)
            content = damaged if isinstance(damaged, bytes) else repr(damaged).encode()
            (options.out / f"{number}.bin").write_bytes(content)
            print(f"{number}: {importer.__name__}: {result}", flush=True)
        if time.monotonic() > end:
            break
    print(counts.most_common(20))


if __name__ == "__main__":
    main()
