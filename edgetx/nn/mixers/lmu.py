"""The Legendre Memory Unit as a mixer, real-valued and spiking (LMUFormer, Liu et al., 2024)."""

import torch
from torch import Tensor, nn

from edgetx.nn.layers import SpikingNorm, TokenBatchNorm
from edgetx.nn.mixers.mixer import MixerInput
from edgetx.nn.torch_ops import lmu


class Lmu(nn.Module):
    """One scalar per token, u = relu(w·x + b), is remembered; the memory and the token make the output.

    h = relu(W [m; x] + b), then a linear layer and batch normalisation. Looks back only, `theta` tokens.
    """

    def __init__(self, given: MixerInput, order: int, theta: int) -> None:
        super().__init__()
        self.order, self.theta = order, float(theta)
        self.input = nn.Linear(given.width, 1)
        self.hidden = nn.Linear(order + given.width, given.width)
        self.out = nn.Linear(given.width, given.width)
        self.norm = TokenBatchNorm(given.width)

    def forward(self, x: Tensor) -> Tensor:
        """Batch × tokens × width, in and out."""
        memory = lmu(self.input(x).relu().squeeze(-1), self.order, self.theta)
        hidden = self.hidden(torch.cat((memory, x), dim=-1)).relu()
        mixed: Tensor = self.norm(self.out(hidden))
        return mixed


class SpikingLmu(Lmu):
    """The same with neurons for ReLU and another between memory and output; its input is spikes.

    The memory is linear in the spikes, as in the published code; the paper's figure recurs on spikes.
    """

    def __init__(self, given: MixerInput, order: int, theta: int) -> None:
        super().__init__(given, order, theta)
        self.spike_in, self.spike_memory = SpikingNorm(1), SpikingNorm(order)
        self.spike_hidden = SpikingNorm(given.width)

    def forward(self, x: Tensor) -> Tensor:
        """Batch × tokens × width, in and out."""
        memory = lmu(self.spike_in(self.input(x)).squeeze(-1), self.order, self.theta)
        hidden = self.hidden(torch.cat((self.spike_memory(memory), x), dim=-1))
        mixed: Tensor = self.norm(self.out(self.spike_hidden(hidden)))
        return mixed
