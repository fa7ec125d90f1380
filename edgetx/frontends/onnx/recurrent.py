"""ONNX recurrent layers, step by step."""

from edgetx import ops
from edgetx.errors import UnsupportedOpError
from edgetx.frontends.onnx.scope import Scope, operator
from edgetx.ir import Value

LARGEST_UNROLLED = 32
"""Steps that are written out."""


@operator("LSTM")
def _lstm(
    s: Scope, x: Value, w: Value, r: Value, b: Value | None = None, lengths: Value | None = None,
    h: Value | None = None, c: Value | None = None, peepholes: Value | None = None,
) -> tuple[Value, ...]:  # fmt: skip
    """x [steps, 1, in], w [1, 4 · size, in] with the gates in the order input, output, forget, cell."""
    steps, batch, width = x.shape
    size = s.integer("hidden_size", r.shape[-1])
    if s.text("direction", "forward") != "forward" or lengths or peepholes or s.integer("layout", 0) or batch != 1:
        raise UnsupportedOpError("LSTM that is not one forward layer over a batch of 1")
    if "activations" in s.attributes or s.integer("input_forget", 0) or steps > LARGEST_UNROLLED:
        raise UnsupportedOpError(f"LSTM of {steps} steps or with activations of its own", hint="run it step by step")
    weights = [s.reshape(v, (4 * size, v.shape[-1])) for v in (w, r)]
    biases = [s.slice(s.reshape(b, (8 * size,)), 0, i * 4 * size, (i + 1) * 4 * size) if b else None for i in (0, 1)]
    zero = s.const(0 * s.data(r, "a weight")[0, :1, :size], "zero")
    hidden, cell = (s.reshape(v, (1, size)) if v else zero for v in (h, c))
    outputs = []
    for step in range(steps):
        row = s.reshape(s.slice(x, 0, step, step + 1), (1, width))
        layers = zip((row, hidden), weights, biases, strict=True)
        parts = [s.result(ops.FullyConnected(), v, weight, *([bias] if bias else [])) for v, weight, bias in layers]
        hidden, cell = _cell(s, s.result(ops.Add(), *parts), cell, size)
        outputs.append(s.reshape(hidden, (1, 1, 1, size)))
    whole = outputs[0] if steps == 1 else s.result(ops.Concatenation(0), *outputs)
    return whole, s.reshape(hidden, (1, 1, size)), s.reshape(cell, (1, 1, size))


def _cell(s: Scope, gates: Value, cell: Value, size: int) -> tuple[Value, Value]:
    """The output and the cell's contents after a step."""
    parts = [s.slice(gates, 1, gate * size, (gate + 1) * size) for gate in range(4)]
    enter, leave, keep = (s.result(ops.Logistic(), part) for part in parts[:3])
    fresh = s.result(ops.Mul(), enter, s.result(ops.Tanh(), parts[3]))
    cell = s.result(ops.Add(), s.result(ops.Mul(), keep, cell), fresh)
    return s.result(ops.Mul(), leave, s.result(ops.Tanh(), cell)), cell
