"""Recurrences, which edgetx's own layers keep whole as ops of `edgetx.nn.torch_ops`."""

import numpy as np

from edgetx import ops
from edgetx.frontends.torch.scope import Scope, aten, reshape
from edgetx.ir import Value


@aten("edgetx.lmu.default")
def _lmu(s: Scope, u: Value, order: int, theta: float) -> Value:
    scalars = reshape(s, u, (*u.shape, 1))
    start = s.const(np.zeros((1, order)), "start")
    return s.builder.ops(ops.Lmu(order, theta), scalars, start, name=s.where)[0]


@aten("edgetx.lif.default")
def _lif(s: Scope, x: Value, threshold: float, tau: float) -> Value:
    channels = x.shape[-1]
    gain, shift = s.const(np.ones(channels), "gain"), s.const(np.zeros(channels), "shift")
    start = s.const(np.zeros((1, channels)), "start")
    return s.builder.ops(ops.Lif(threshold, tau), x, gain, shift, start, name=s.where)[0]


@aten("edgetx.linear_recurrence.default")
def _linear_recurrence(s: Scope, decay: Value, x: Value, initial: Value) -> Value:
    start = s.const(s.data(initial, "the state before the first step")[None], "start")
    return s.builder.ops(ops.LinearRecurrence(), decay, x, start, name=s.where)[0]
