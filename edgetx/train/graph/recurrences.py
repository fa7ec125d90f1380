"""Recurrences in torch, step by step; for one sample, since batches come from `torch.vmap`."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from edgetx import ops
from edgetx.legendre import legendre_memory
from edgetx.nn.torch_ops.lif import SURROGATE_ALPHA

Results = tuple[Tensor, Tensor]
"""Results of all steps, and the state after the last."""


def _lif(op: ops.Lif, x: Tensor, gain: Tensor, shift: Tensor, v: Tensor) -> Results:
    """Spikes whose derivative is that of a sigmoid, as in `edgetx::lif`; none flows through the reset."""
    spikes = []
    for current in (x * gain + shift).unbind(1):
        potential = v + (current - v) / op.tau
        above = potential - op.threshold
        soft, fired = torch.sigmoid(SURROGATE_ALPHA * above), potential >= op.threshold
        spikes.append(fired.to(x.dtype) + (soft - soft.detach()))
        v = torch.where(fired, torch.zeros_like(potential), potential)
    return torch.stack(spikes, 1), v


def _lmu(op: ops.Lmu, u: Tensor, memory: Tensor) -> Results:
    a, b = (torch.from_numpy(matrix).to(u) for matrix in legendre_memory(op.order, op.theta))
    return _stepped(memory, lambda state, driven: state @ a.T + driven * b, u)


def _linear_recurrence(op: ops.LinearRecurrence, decay: Tensor, x: Tensor, state: Tensor) -> Results:
    return _stepped(state, lambda before, rate, driven: rate * before + driven, decay, x)


def _stepped(state: Tensor, step: Callable[..., Tensor], *sequences: Tensor) -> Results:
    steps = []
    for operands in zip(*(sequence.unbind(1) for sequence in sequences), strict=True):
        state = step(state, *operands)
        steps.append(state)
    return torch.stack(steps, 1), state


RECURRENCES: dict[str, Callable[..., Any]] = {"lif": _lif, "linear_recurrence": _linear_recurrence, "lmu": _lmu}
"""By the op's name; called with the op and its operands, the state last."""
