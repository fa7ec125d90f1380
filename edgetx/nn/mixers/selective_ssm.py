"""The selective state space of Mamba (Gu, Dao, 2023), in one direction or two (SSAMBA, Shams et al., 2024)."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from edgetx.nn.layers import TokenConv
from edgetx.nn.mixers.mixer import MixerInput
from edgetx.nn.torch_ops import linear_recurrence

_EXPANSION, _CONV_TOKENS, _WIDTH_PER_RANK = 2, 4, 16
_SLOWEST, _FASTEST = 1e-3, 1e-1  # initial step sizes


class SelectiveSsm(nn.Module):
    """x, z = split(W_in h); y = scan(x), unless causal plus a second scan from the end; W_out (y · silu(z))."""

    def __init__(self, given: MixerInput, states: int = 16) -> None:
        super().__init__()
        inner = _EXPANSION * given.width
        rank = math.ceil(given.width / _WIDTH_PER_RANK)
        self.input = nn.Linear(given.width, 2 * inner, bias=False)
        self.forwards = SelectiveScan(inner, rank, states)
        self.backwards = None if given.causal else SelectiveScan(inner, rank, states)
        self.out = nn.Linear(inner, given.width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Batch × tokens × width, in and out."""
        x, z = self.input(x).chunk(2, dim=-1)
        y = self.forwards(x)
        if self.backwards is not None:
            y = y + self.backwards(x.flip(1)).flip(1)
        mixed: Tensor = self.out(y * F.silu(z))
        return mixed


class SelectiveScan(nn.Module):
    """A causal depthwise convolution, then one state space per feature whose step and in- and outputs depend on x.

    Δ, B, C = split(W x), Δ = softplus(W_Δ Δ + b), A = −exp(a);
    s[t] = exp(Δ A) s[t−1] + Δ B x, y = C·s + D x.
    """

    def __init__(self, width: int, rank: int, states: int) -> None:
        super().__init__()
        self.sizes = (rank, states, states)
        self.conv = TokenConv(width, width, _CONV_TOKENS, causal=True, groups=width, bias=True)
        self.project = nn.Linear(width, sum(self.sizes), bias=False)
        self.step = nn.Linear(rank, width)
        self.log_rate = nn.Parameter(torch.arange(1.0, states + 1).log().repeat(width, 1))
        self.skip = nn.Parameter(torch.ones(width))
        self._init_step(rank)

    def _init_step(self, rank: int) -> None:
        """Step sizes spread evenly on a logarithmic scale."""
        nn.init.uniform_(self.step.weight, -(rank**-0.5), rank**-0.5)
        steps = torch.empty_like(self.step.bias).uniform_(math.log(_SLOWEST), math.log(_FASTEST)).exp()
        with torch.no_grad():
            self.step.bias.copy_(steps + torch.log(-torch.expm1(-steps)))  # the inverse of softplus

    def forward(self, x: Tensor) -> Tensor:
        """Batch × tokens × width, in and out."""
        x = F.silu(self.conv(x))
        low_rank, into, out_of = self.project(x).split(self.sizes, dim=-1)
        step = F.softplus(self.step(low_rank)).unsqueeze(-1)
        decay = torch.exp(step * -torch.exp(self.log_rate))
        driven = step * into.unsqueeze(-2) * x.unsqueeze(-1)
        states = linear_recurrence(decay, driven, torch.zeros_like(self.log_rate))
        y: Tensor = (states @ out_of.unsqueeze(-1)).squeeze(-1) + self.skip * x
        return y
