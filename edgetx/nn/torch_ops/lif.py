"""`edgetx::lif`: leaky integrate-and-fire neurons."""

from typing import Any

import torch
from torch import Tensor

SURROGATE_ALPHA = 4.0
"""Steepness of the sigmoid whose derivative stands in for that of the spike."""


@torch.library.custom_op("edgetx::lif", mutates_args=())
def lif(x: Tensor, threshold: float, tau: float) -> Tensor:
    """Spikes of one neuron per feature; its time axis is the axis of tokens.

    With v[−1] = 0, at every step: v ← v + (x − v)/τ; spike s = 1 if v ≥ threshold, else 0; v ← 0 where s = 1.

    The derivative of the spike is that of σ(α·(v − threshold)), α = 4; none flows through the reset
    (the neuron of LMUFormer, Liu et al., 2024).

    Args:
        x: Input current, batch × steps × features.
        threshold: Membrane potential from which on the neuron fires.
        tau: Time constant in steps, at least 1.

    Returns:
        Zeros and ones like x.
    """
    return (_membrane(x, threshold, tau) >= threshold).to(x.dtype)


def _membrane(x: Tensor, threshold: float, tau: float) -> Tensor:
    """The membrane potential before each reset."""
    v, potentials = torch.zeros_like(x[:, 0]), []
    for current in x.unbind(1):
        potential = v + (current - v) / tau
        potentials.append(potential)
        v = potential.masked_fill(potential >= threshold, 0)
    return torch.stack(potentials, dim=1)


@lif.register_fake
def _shape(x: Tensor, threshold: float, tau: float) -> Tensor:
    return torch.empty_like(x)


def _remember(ctx: Any, inputs: tuple[Tensor, float, float], output: Tensor) -> None:
    x, ctx.threshold, ctx.tau = inputs
    ctx.save_for_backward(x)


def _gradient(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
    """Back through time: the spike's surrogate at each step, and the leak between steps that did not fire."""
    (x,) = ctx.saved_tensors
    above = _membrane(x, ctx.threshold, ctx.tau) - ctx.threshold
    sigma = torch.sigmoid(SURROGATE_ALPHA * above)
    from_spikes = grad * SURROGATE_ALPHA * sigma * (1 - sigma)
    carried, gradients = torch.zeros_like(grad[:, 0]), []
    for step, fired in zip(from_spikes.flip(1).unbind(1), (above >= 0).flip(1).unbind(1), strict=True):
        potential = step + carried.masked_fill(fired, 0)
        gradients.append(potential / ctx.tau)
        carried = potential * (1 - 1 / ctx.tau)
    return torch.stack(gradients[::-1], dim=1), None, None


lif.register_autograd(_gradient, setup_context=_remember)
for _device in ("cpu", "cuda"):
    lif.register_autocast(_device, torch.float32)
