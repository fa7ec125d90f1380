"""The logarithm of a softmax."""

import numpy as np

from edgetx import ops
from edgetx.frontends.builder import Builder
from edgetx.ir import Value


def log_softmax(s: Builder, x: Value) -> Value:
    """x − max x − log Σ exp(x − max x) over the last axis; the logarithm keeps its operands in 16 bits."""
    last = (x.type.rank - 1,)
    below = s.op(ops.Sub(), x, s.op(ops.ReduceMax(last, True), x))
    mean = s.op(ops.Mean(last, True), s.op(ops.Exp(), below))
    count = s.const(np.array([np.log(x.shape[-1])], np.float32), "count")
    return s.op(ops.Sub(), below, s.op(ops.Add(), s.op(ops.Log(), mean), count))
