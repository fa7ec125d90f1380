"""ONNX operators on sequences of tensors, which are lists while the model is imported."""

from collections.abc import Callable, Mapping

from edgetx import ops
from edgetx.errors import ModelError
from edgetx.frontends.onnx.scope import Scope
from edgetx.ir import Value

Part = Value | list[Value] | None
"""An operand: a tensor, a sequence of them, or none."""


def _tensor(operand: Part) -> Value:
    if not isinstance(operand, Value):
        raise ModelError("a tensor is wanted in place of a sequence")
    return operand


def _split(s: Scope, operand: Part, sizes: Part = None) -> list[Value]:
    x = _tensor(operand)
    axis = s.axis(s.integer("axis", 0), x.type.rank)
    size = x.shape[axis]
    if isinstance(sizes, Value):
        listed = s.integers(sizes, "the sizes of a split")
        if not sizes.type.rank:
            listed = tuple(min(max(listed[0], 1), size - i) for i in range(0, size, max(listed[0], 1)))
    else:
        listed = (1,) * size
    if sum(listed) != size or min(listed, default=0) < 1:
        raise ModelError(f"split of {size} elements into {listed}")
    parts, begin = [], 0
    for n in listed:
        part, begin = s.slice(x, axis, begin, begin + n), begin + n
        drops = not isinstance(sizes, Value) and not s.integer("keepdims", 1)
        parts.append(s.reshape(part, x.shape[:axis] + x.shape[axis + 1 :]) if drops else part)
    return parts


def _at(s: Scope, xs: Part, position: Part) -> Value:
    return _listed(xs)[_position(s, position, len(_listed(xs)))]


def _construct(_: Scope, *xs: Part) -> list[Value]:
    return [x for x in xs if isinstance(x, Value)]


def _insert(s: Scope, xs: Part, operand: Part, position: Part = None) -> list[Value]:
    x = _tensor(operand)
    made = list(_listed(xs))
    made.insert(len(made) if position is None else _position(s, position, len(made) + 1), x)
    return made


def _concatenated(s: Scope, xs: Part) -> Value:
    parts, fresh = _listed(xs), bool(s.integer("new_axis", 0))
    if not parts:
        raise ModelError("concatenation of nothing")
    axis = s.axis(s.integer("axis", 0), parts[0].type.rank + fresh)
    if fresh:
        parts = [s.reshape(x, (*x.shape[:axis], 1, *x.shape[axis:])) for x in parts]
    return parts[0] if len(parts) == 1 else s.result(ops.Concatenation(axis), *parts)


def _listed(xs: Part) -> list[Value]:
    if not isinstance(xs, list):
        raise ModelError("a tensor in place of a sequence")
    return xs


def _position(s: Scope, position: Part, count: int) -> int:
    if not isinstance(position, Value):
        raise ModelError("a sequence in place of a position")
    (index,) = s.integers(position, "a position in a sequence")
    if not -count <= index < count:
        raise ModelError(f"place {index} of {count}")
    return index % count


SEQUENCES: Mapping[str, Callable[..., Value | list[Value]]] = {
    "ConcatFromSequence": _concatenated,
    "SequenceAt": _at,
    "SequenceConstruct": _construct,
    "SequenceEmpty": lambda _: [],
    "SequenceInsert": _insert,
    "SplitToSequence": _split,
}
