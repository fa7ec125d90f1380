"""Write an integer graph as a TFLite file."""

from typing import cast

from edgetx.backends.tflite.builder import ModelFile
from edgetx.ir import Graph
from edgetx.ops import Op


def write_tflite(graph: Graph) -> bytes:
    """The TFLite file of an integer graph.

    Raises:
        UnsupportedOpError: If an op has no TFLite form.
    """
    file = ModelFile()
    main = file.subgraph(graph.consts)
    main.inputs(graph.inputs)
    for node in graph.nodes:
        cast(Op, node.op).to_tflite(node, main)
    main.outputs(graph.outputs)
    return file.finish()
