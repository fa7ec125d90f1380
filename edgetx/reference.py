"""Execute a graph in numpy, op by op: floating point or the integer contract."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import cast

from edgetx.errors import ModelError
from edgetx.ir import Array, Arrays, Graph, Node
from edgetx.ops import Op

Observer = Callable[[str, Array], None]


def initial_state(graph: Graph) -> dict[str, Array]:
    """Contents of every state after reset."""
    return {state.name: state.init for state in graph.states}


def execute(
    graph: Graph, inputs: Sequence[Array], state: dict[str, Array] | None = None, observe: Observer | None = None
) -> Arrays:
    """Run one invocation.

    Args:
        graph: A float or an integer graph.
        inputs: One array per graph input: floats for a float graph, integers of its type for an integer graph.
        state: Contents of the states, updated in place; fresh if None.
        observe: Called with name and contents of every input and result.

    Raises:
        ModelError: If number or shapes of the inputs are wrong.
    """
    state = initial_state(graph) if state is None else state
    values: dict[str, Array] = dict(graph.consts)
    values.update({s.read.name: state[s.name] for s in graph.states})
    values.update(checked_inputs(graph, inputs))
    if observe:
        for value in graph.inputs:
            observe(value.name, values[value.name])
    for name, array in _results(graph, values):
        values[name] = array
        if observe:
            observe(name, array)
    state.update({s.name: values[s.write.name] for s in graph.states})
    return tuple(values[value.name] for value in graph.outputs)


def checked_inputs(graph: Graph, inputs: Sequence[Array]) -> Mapping[str, Array]:
    """Inputs by name, in the shapes of the graph.

    Raises:
        ModelError: If their number or sizes are wrong.
    """
    if len(inputs) != len(graph.inputs):
        raise ModelError(f"the model takes {len(graph.inputs)} inputs, got {len(inputs)}", where=graph.name)
    for value, array in zip(graph.inputs, inputs, strict=True):
        if array.size != value.type.size:
            raise ModelError(f"expected shape {value.shape}, got {array.shape}", where=value.name)
    return {v.name: a.reshape(v.shape) for v, a in zip(graph.inputs, inputs, strict=True)}


def run_node(node: Node, operands: Sequence[Array]) -> Arrays:
    """Results of one node, in the arithmetic that its result's type asks for."""
    op = cast(Op, node.op)
    if node.outputs[0].type.is_float:
        return op.float_ref(*operands)
    return op.int_ref(node, *operands)


def _results(graph: Graph, values: Mapping[str, Array]) -> Iterator[tuple[str, Array]]:
    for node in graph.nodes:
        results = run_node(node, [values[value.name] for value in node.inputs])
        yield from ((value.name, array) for value, array in zip(node.outputs, results, strict=True))
