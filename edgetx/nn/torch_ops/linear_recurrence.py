"""`edgetx::linear_recurrence`: a state that decays by its own rate at every step."""

from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import register_flop_formula


@torch.library.custom_op("edgetx::linear_recurrence", mutates_args=())
def linear_recurrence(decay: Tensor, x: Tensor, initial: Tensor) -> Tensor:
    """s[t] = decay[t] · s[t−1] + x[t] with s[−1] = initial, element by element.

    Gated linear attention and selective state spaces are this between products with one step each, so that
    a runtime needs to hold one state and never the result as a whole.

    Args:
        decay: Batch × steps × …, broadcast to the shape of x.
        x: Batch × steps × state.
        initial: State before the first step, without batch and steps.

    Returns:
        The state after each step, like x.
    """
    state, states = initial, []
    for rate, step in zip(decay.unbind(1), x.unbind(1), strict=True):
        state = rate * state + step
        states.append(state)
    return torch.stack(states, dim=1)


@linear_recurrence.register_fake
def _shape(decay: Tensor, x: Tensor, initial: Tensor) -> Tensor:
    return torch.empty_like(x)


def _remember(ctx: Any, inputs: tuple[Tensor, Tensor, Tensor], output: Tensor) -> None:
    decay, _, initial = inputs
    ctx.save_for_backward(decay, initial, output)


def _gradient(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The same recurrence, backwards in time."""
    decay, initial, states = ctx.saved_tensors
    carried, gradients = torch.zeros_like(grad[:, 0]), []
    for rate, step in zip(decay.flip(1).unbind(1), grad.flip(1).unbind(1), strict=True):
        gradients.append(step + carried)
        carried = rate * gradients[-1]
    to_x = torch.stack(gradients[::-1], dim=1)
    before = torch.cat((initial.expand_as(states[:, :1]), states[:, :-1]), dim=1)
    return (to_x * before).sum_to_size(decay.shape), to_x, carried.sum_to_size(initial.shape)


linear_recurrence.register_autograd(_gradient, setup_context=_remember)
for _device in ("cpu", "cuda"):
    linear_recurrence.register_autocast(_device, torch.float32)


@register_flop_formula(torch.ops.edgetx.linear_recurrence)
def _flops(decay: tuple[int, ...], x: tuple[int, ...], *_: object, **__: object) -> int:
    return 2 * torch.Size(x).numel()
