"""From when to when each buffer of a program is needed."""

from collections.abc import Mapping, Sequence

from edgetx.ir import Graph, Node, Value
from edgetx.ops import KernelCall
from edgetx.plan.arena import Buffer
from edgetx.plan.views import Place, views


def places(graph: Graph, calls: Mapping[str, KernelCall]) -> dict[str, Place]:
    """The buffer that holds each value, and where in it: views and in-place results live in that of another value.

    Args:
        graph: An integer graph.
        calls: Kernel of each node that has one, by node name.
    """
    within = views(graph)
    found = {v.name: Place(v.name) for v in (*graph.inputs, *(s.read for s in graph.states))}
    last = _last_use(graph)
    fixed = {v.name for v in graph.outputs} | {v.name for s in graph.states for v in (s.read, s.write)}
    for index, node in enumerate(graph.nodes):
        for value in node.outputs:
            found[value.name] = _outermost(value.name, within, found)
        source = _shared_operand(node, calls.get(node.name))
        if source is None or node.output.name in within:
            continue
        if _renews(graph, node, source) and last[source.name] == index:
            found[node.output.name] = Place(source.name)
        elif source.name in found and _reads_once(node, source, found) and _dies(source, index, found, last, fixed):
            found[node.output.name] = found[source.name]
    return found


def _outermost(name: str, within: Mapping[str, Place], found: Mapping[str, Place]) -> Place:
    """Where a value lies that may lie in others, some of which may not have been made yet."""
    offset = 0
    while name in within:
        offset += within[name].offset
        name = within[name].buffer
    buffer, start = found.get(name, Place(name))
    return Place(buffer, start + offset)


def live_buffers(graph: Graph, calls: Mapping[str, KernelCall], where: Mapping[str, Place]) -> list[Buffer]:
    """Every buffer of the arena with its size and first and last step.

    Scratch buffers are called `<node>.scratch`, copies of constants `<node>.staged`.
    """
    first: dict[str, int] = {}
    last: dict[str, int] = {}
    size: dict[str, int] = {}
    end = len(graph.nodes)

    def touch(value: Value, step: int) -> None:
        if value.name in where:
            name, offset = where[value.name]
            first.setdefault(name, step)
            last[name] = max(step, last.get(name, step))
            size[name] = max(offset + value.type.nbytes, size.get(name, 0))

    for value in graph.inputs:
        touch(value, -1)
    for step, node in enumerate(graph.nodes):
        for value in (*node.inputs, *node.outputs):
            touch(value, step)
    for value in (*graph.outputs, *(s.write for s in graph.states)):
        touch(value, end)
    apart = {state.read.name for state in graph.states}
    buffers = [Buffer(name, size[name], first[name], last[name]) for name in size if name not in apart]
    for step, node in enumerate(graph.nodes):
        call = calls.get(node.name)
        if call is not None and call.scratch_bytes:
            buffers.append(Buffer(f"{node.name}.scratch", call.scratch_bytes, step, step))
        if call is not None and call.staged is not None:
            buffers.append(Buffer(f"{node.name}.staged", staged_bytes(call), step, step))
    return buffers


def staged_bytes(call: KernelCall) -> int:
    """Bytes of the copy of a constant that the call asks for."""
    if call.staged is None:
        return 0
    operand = call.operands[call.staged]
    return operand.type.nbytes if isinstance(operand, Value) else operand.nbytes


def _last_use(graph: Graph) -> dict[str, int]:
    return {value.name: step for step, node in enumerate(graph.nodes) for value in node.inputs}


def _shared_operand(node: Node, call: KernelCall | None) -> Value | None:
    """The operand in whose memory the result of a kernel may lie."""
    if call is None or call.in_place is None:
        return None
    operand = call.operands[call.in_place]
    if isinstance(operand, Value) and operand.type.nbytes == node.output.type.nbytes:
        return operand
    return None


def _renews(graph: Graph, node: Node, operand: Value) -> bool:
    """Whether the node turns what a state held into what it will hold, so that it can work where the state lies."""
    pairs = {(state.read.name, state.write.name) for state in graph.states}
    return (operand.name, node.outputs[0].name) in pairs and not graph.is_result(operand)


def _reads_once(node: Node, operand: Value, found: Mapping[str, Place]) -> bool:
    """Whether no other operand of the node lies in the same memory: kernels may write before they have read it all."""
    buffer = found[operand.name].buffer
    return sum(value.name in found and found[value.name].buffer == buffer for value in node.inputs) == 1


def _dies(
    value: Value, step: int, found: Mapping[str, Place], last: Mapping[str, int], fixed: Sequence[str] | set[str]
) -> bool:
    """Whether nothing reads the memory of `value` after `step`."""
    sharing = [name for name, place in found.items() if place.buffer == found[value.name].buffer]
    return all(last.get(name, -1) <= step and name not in fixed for name in sharing)
