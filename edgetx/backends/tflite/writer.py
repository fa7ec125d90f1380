"""Write an integer graph as a TFLite file."""

from collections.abc import Sequence
from typing import cast

import numpy as np

from edgetx.backends.tflite.builder import ModelFile, SubgraphBuilder
from edgetx.backends.tflite.split import equal_parts
from edgetx.ir import DType, Graph, Node, State, TensorType, Value
from edgetx.ops import Op


def write_tflite(graph: Graph) -> bytes:
    """The TFLite file of an integer graph.

    Raises:
        UnsupportedOpError: If an op has no TFLite form.
    """
    file = ModelFile()
    main = file.subgraph(graph.consts)
    main.inputs(graph.inputs)
    handles = _read_states(file, main, graph.states)
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
    for state, handle in zip(graph.states, handles, strict=True):
        main.operator("ASSIGN_VARIABLE", [handle, state.write], [], {})
    main.outputs(graph.outputs)
    return file.finish()


def _read_states(file: ModelFile, main: SubgraphBuilder, states: Sequence[State]) -> list[Value]:
    """Handles of the states, which are resource variables that a subgraph of its own initializes once."""
    if not states:
        return []
    start = file.subgraph({})
    for state in states:
        init = start.const(state.init, f"{state.name}.init", state.read.type.quant)
        start.operator("ASSIGN_VARIABLE", [_handle(start, state), init], [], {})
    main.operator("CALL_ONCE", [], [], {"InitSubgraphIndex": 1})
    handles = [_handle(main, state) for state in states]
    for state, handle in zip(states, handles, strict=True):
        main.operator("READ_VARIABLE", [handle], [state.read], {})
    return handles


def _handle(b: SubgraphBuilder, state: State) -> Value:
    handle = b.temporary(TensorType((1,), cast(DType, "resource")), f"{state.name}.handle")
    b.operator("VAR_HANDLE", [], [handle], {"Container": "", "SharedName": state.name})
    return handle


def _write_split(b: SubgraphBuilder, axis: int, parts: Sequence[Node]) -> None:
    first = parts[0]
    inputs = [b.const(np.array(axis, np.int32), f"{first.name}.axis"), first.inputs[0]]
    b.op(first, "SPLIT", inputs, {"NumSplits": len(parts)}, [part.output for part in parts])
