"""Perceptrons over the features of one token, the second half of a block."""

from collections.abc import Callable

from torch import nn

from edgetx.nn.layers import ACTIVATIONS, SpikingNorm, TokenBatchNorm


def _plain(width: int, hidden: int, activation: str) -> nn.Module:
    return nn.Sequential(nn.Linear(width, hidden), ACTIVATIONS[activation](), nn.Linear(hidden, width))


def _normed(width: int, hidden: int, activation: str) -> nn.Module:
    """LMUFormer's, with batch norms behind the layers and a ReLU before the residual connection."""
    first = (nn.Linear(width, hidden), TokenBatchNorm(hidden), ACTIVATIONS[activation]())
    return nn.Sequential(*first, nn.Linear(hidden, width), TokenBatchNorm(width), nn.ReLU())


def _spiking(width: int, hidden: int, _: str) -> nn.Module:
    """The spiking LMUFormer's; its input is spikes as well."""
    return nn.Sequential(nn.Linear(width, hidden), SpikingNorm(hidden), nn.Linear(hidden, width))


FEED_FORWARDS: dict[str, Callable[[int, int, str], nn.Module | None]] = {
    "plain": _plain,
    "normed": _normed,
    "spiking": _spiking,
    "none": lambda width, hidden, activation: None,
}
"""By the name in a recipe; called with width, hidden width and the name of the activation."""
