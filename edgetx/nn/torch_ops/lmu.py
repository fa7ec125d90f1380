"""`edgetx::lmu`: the linear memory of a Legendre Memory Unit."""

from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import register_flop_formula

from edgetx.legendre import impulse_response


@torch.library.custom_op("edgetx::lmu", mutates_args=())
def lmu(u: Tensor, order: int, theta: float) -> Tensor:
    """m[t] = Ā m[t−1] + B̄ u[t] with m[−1] = 0, Ā and B̄ those of `edgetx.legendre.legendre_memory`.

    Computed in parallel over time as the convolution of u with the memory's impulse response, by FFT
    (Chilkuri, Eliasmith, 2021). Step by step it is the recurrence; the two differ by float rounding only.

    Args:
        u: One scalar per step: batch × steps.
        order: Numbers in the memory.
        theta: Steps that it holds.

    Returns:
        The memory after each step, batch × steps × order.
    """
    memory = _convolve(u.unsqueeze(1), _spectrum(u, order, theta))
    return memory.transpose(1, 2).contiguous()


def _spectrum(like: Tensor, order: int, theta: float) -> Tensor:
    """Spectrum of the impulse response, zero-padded to twice the steps."""
    response = torch.from_numpy(impulse_response(order, theta, like.shape[1])).to(like)
    spectrum: Tensor = torch.fft.rfft(response, 2 * like.shape[1])
    return spectrum


def _convolve(x: Tensor, spectrum: Tensor) -> Tensor:
    """The first half of the circular convolution of x, … × steps, with what has this spectrum."""
    steps = x.shape[-1]
    y: Tensor = torch.fft.irfft(torch.fft.rfft(x, 2 * steps) * spectrum, 2 * steps)
    return y[..., :steps]


@lmu.register_fake
def _shape(u: Tensor, order: int, theta: float) -> Tensor:
    return u.new_empty((*u.shape, order))


def _remember(ctx: Any, inputs: tuple[Tensor, int, float], output: Tensor) -> None:
    _, ctx.order, ctx.theta = inputs


def _gradient(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
    """The correlation with the impulse response, summed over the memory."""
    spectrum = _spectrum(grad[..., 0], ctx.order, ctx.theta).conj()
    return _convolve(grad.transpose(1, 2), spectrum).sum(dim=1), None, None


lmu.register_autograd(_gradient, setup_context=_remember)
for _device in ("cpu", "cuda"):
    lmu.register_autocast(_device, torch.float32)


@register_flop_formula(torch.ops.edgetx.lmu)
def _flops(u: tuple[int, int], order: int, *_: object, **__: object) -> int:
    """Of the recurrent form: Ā m and B̄ u at every step."""
    return 2 * u[0] * u[1] * (order * order + order)
