"""ONNX recurrent layers, step by step."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from edgetx import ops
from edgetx.errors import ModelError, UnsupportedOpError
from edgetx.frontends.onnx.scope import Scope, operator
from edgetx.ir import Value

LARGEST_UNROLLED = 128
"""Steps that are written out."""
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
ACTIVATIONS = {"LSTM": ("sigmoid", "tanh", "tanh"), "GRU": ("sigmoid", "tanh"), "RNN": ("tanh",)}
DIRECTIONS = {"forward": (1,), "reverse": (-1,), "bidirectional": (1, -1)}

States = tuple[Value, ...]
"""Output, and contents of the cell if there is one."""


@dataclass(frozen=True)
class Layer:
    """Weights of one direction: of the input, of the output before, and the two biases."""

    scope: Scope
    size: int
    w: Value
    r: Value
    biases: tuple[Value | None, Value | None]

    def of_input(self, rows: Value) -> Value:
        """What the inputs of all steps, [steps · batch, in], contribute to the gates."""
        return self.scope.result(ops.FullyConnected(), rows, self.w, *_present(self.biases[0]))

    def of_output(self, h: Value) -> Value:
        """What the output of the step before contributes."""
        return self.scope.result(ops.FullyConnected(), h, self.r, *_present(self.biases[1]))

    def parts(self, gates: Value, count: int) -> list[Value]:
        """The gates one by one."""
        return [self.scope.slice(gates, 1, i * self.size, (i + 1) * self.size) for i in range(count)]


@operator("LSTM", "GRU", "RNN")
def _recurrent(
    s: Scope, x: Value, w: Value, r: Value, b: Value | None = None, lengths: Value | None = None,
    h: Value | None = None, c: Value | None = None, peepholes: Value | None = None,
) -> tuple[Value, ...]:  # fmt: skip
    """x [steps, batch, in], w [directions, gates · size, in]; results [steps, directions, batch, size] and the last."""
    s.real_only(x)  # a file says nothing of the integers between the gates
    kind, directions = s.node.op_type, DIRECTIONS.get(s.text("direction", "forward"), ())
    steps, batch, width = x.shape
    if not directions or w.shape[0] != len(directions) or r.shape[0] != len(directions):
        raise ModelError(f"{kind} with weights {w.shape} and {r.shape}")
    if peepholes or s.integer("layout", 0) or s.integer("input_forget", 0) or _open_lengths(s, lengths):
        raise UnsupportedOpError(f"{kind} with peepholes or open lengths", hint="run sequences of fixed length")
    names = tuple(name.decode().lower() for name in s.attributes.get("activations", ()))
    if names != ACTIVATIONS[kind] * len(directions) and names and (kind, names[0]) != ("RNN", "relu"):
        raise UnsupportedOpError(f"{kind} with activations {names}", hint="use the default activations")
    if steps > LARGEST_UNROLLED:
        raise UnsupportedOpError(f"{kind} of {steps} steps", hint="run it step by step, with state")
    size, rows = r.shape[-1], s.reshape(x, (steps * batch, width))
    outputs: list[list[Value]] = []
    last: list[States] = []
    for index, direction in enumerate(directions):
        layer = Layer(s, size, *_weights(s, (w, r), b, index, GATES[kind] * size))
        zero = s.const(np.zeros((batch, size), np.float32), "zero")
        start = [zero if v is None else s.reshape(s.slice(v, 0, index, index + 1), (batch, size)) for v in (h, c)]
        made = _run(layer, rows, tuple(start[: 2 if kind == "LSTM" else 1]), CELLS[kind], direction)
        outputs.append([states[0] for states in made][::direction])
        last.append(made[-1])
    whole = s.joined(
        [s.reshape(_side_by_side(s, at), (1, len(directions), batch, size)) for at in zip(*outputs, strict=True)]
    )
    ends = [
        s.reshape(_side_by_side(s, [d[i] for d in last]), (len(directions), batch, size)) for i in range(len(last[0]))
    ]
    return whole, *ends


def _run(layer: Layer, rows: Value, states: States, cell: "Cell", direction: int) -> list[States]:
    """States after each step, in the order in which they are made."""
    projected, made, batch = layer.of_input(rows), [], states[0].shape[0]
    for begin in range(0, rows.shape[0], batch)[::direction]:
        states = cell(layer, layer.scope.slice(projected, 0, begin, begin + batch), states)
        made.append(states)
    return made


def _lstm(layer: Layer, x: Value, states: States) -> States:
    """Gates in the order input, output, forget, cell."""
    s, (h, cell) = layer.scope, states
    parts = layer.parts(s.result(ops.Add(), x, layer.of_output(h)), 4)
    enter, leave, keep = (s.result(ops.Logistic(), part) for part in parts[:3])
    fresh = s.result(ops.Mul(), enter, s.result(ops.Tanh(), parts[3]))
    cell = s.result(ops.Add(), s.result(ops.Mul(), keep, cell), fresh)
    return s.result(ops.Mul(), leave, s.result(ops.Tanh(), cell)), cell


def _gru(layer: Layer, x: Value, states: States) -> States:
    """Gates in the order update, reset, hidden."""
    s, (h,) = layer.scope, states
    if not s.integer("linear_before_reset", 0):
        return _gru_reset_first(layer, x, h)
    of_x, of_h = layer.parts(x, 3), layer.parts(layer.of_output(h), 3)
    update, reset = (s.result(ops.Logistic(), s.result(ops.Add(), of_x[i], of_h[i])) for i in (0, 1))
    fresh = s.result(ops.Tanh(), s.result(ops.Add(), of_x[2], s.result(ops.Mul(), reset, of_h[2])))
    return (_mixed(s, update, h, fresh),)


def _gru_reset_first(layer: Layer, x: Value, h: Value) -> States:
    s, size = layer.scope, layer.size
    weight = s.data(s.restored(layer.r), "a weight")
    bias = None if layer.biases[1] is None else s.data(s.restored(layer.biases[1]), "a bias")

    def of(rows: slice, y: Value) -> Value:
        operands = [] if bias is None else [s.const(bias[rows], "bias")]
        return s.result(ops.FullyConnected(), y, s.const(weight[rows], "weight"), *operands)

    of_x = layer.parts(x, 3)
    gates = of(slice(0, 2 * size), h)
    update, reset = (
        s.result(ops.Logistic(), s.result(ops.Add(), of_x[i], part)) for i, part in enumerate(layer.parts(gates, 2))
    )
    hidden = of(slice(2 * size, 3 * size), s.result(ops.Mul(), reset, h))
    return (_mixed(s, update, h, s.result(ops.Tanh(), s.result(ops.Add(), of_x[2], hidden))),)


def _mixed(s: Scope, update: Value, old: Value, fresh: Value) -> Value:
    """fresh + update · (old − fresh)."""
    return s.result(ops.Add(), fresh, s.result(ops.Mul(), update, s.result(ops.Sub(), old, fresh)))


def _rnn(layer: Layer, x: Value, states: States) -> States:
    s = layer.scope
    total = s.result(ops.Add(), x, layer.of_output(states[0]))
    relu = [name.decode().lower() for name in s.attributes.get("activations", ())][:1] == ["relu"]
    return (s.result(ops.Relu() if relu else ops.Tanh(), total),)


Cell = Callable[[Layer, Value, States], States]
CELLS: dict[str, Cell] = {"LSTM": _lstm, "GRU": _gru, "RNN": _rnn}


def _weights(
    s: Scope, matrices: tuple[Value, Value], b: Value | None, index: int, rows: int
) -> tuple[Value, Value, tuple[Value | None, Value | None]]:
    """Those of one direction, in real numbers."""
    w, r = (s.const(s.data(s.restored(v), "a weight")[index], "weight") for v in matrices)
    if w.shape[0] != rows or r.shape[0] != rows:
        raise ModelError(f"{s.node.op_type} with weights {w.shape} and {r.shape}")
    if b is None:
        return w, r, (None, None)
    data = s.data(s.restored(b), "a bias")[index]
    return w, r, (s.const(data[:rows], "bias"), s.const(data[rows:], "bias"))


def _open_lengths(s: Scope, lengths: Value | None) -> bool:
    return lengths is not None and lengths.name not in s.builder.consts


def _side_by_side(s: Scope, parts: Sequence[Value]) -> Value:
    """The results of the directions, in the order of [directions, batch, size]."""
    if len(parts) == 1:
        return parts[0]
    return s.result(ops.Concatenation(1 if parts[0].shape[0] == 1 else 0), *parts)


def _present(value: Value | None) -> tuple[Value, ...]:
    return () if value is None else (value,)
