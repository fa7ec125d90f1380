"""Write an integer graph as a TFLite file."""

from collections.abc import Sequence
from typing import cast

import numpy as np

from edgetx.backends.tflite.builder import ModelFile, SubgraphBuilder
from edgetx.backends.tflite.split import equal_parts
from edgetx.ir import Graph, Node
from edgetx.ops import Op


def write_tflite(graph: Graph) -> bytes:
    """The TFLite file of an integer graph.

    Raises:
        UnsupportedOpError: If an op has no TFLite form.
    """
    file = ModelFile()
    main = file.subgraph(graph.consts)
    main.inputs(graph.inputs)
    cuts = equal_parts(graph)
    written: set[str] = set()
    for node in graph.nodes:
        if node.name in written:
            continue
        if cut := cuts.get(node.name):
            _write_split(main, *cut)
            written.update(part.name for part in cut[1])
        else:
            cast(Op, node.op).to_tflite(node, main)
    main.outputs(graph.outputs)
    return file.finish()


def _write_split(b: SubgraphBuilder, axis: int, parts: Sequence[Node]) -> None:
    first = parts[0]
    inputs = [b.const(np.array(axis, np.int32), f"{first.name}.axis"), first.inputs[0]]
    b.op(first, "SPLIT", inputs, {"NumSplits": len(parts)}, [part.output for part in parts])
