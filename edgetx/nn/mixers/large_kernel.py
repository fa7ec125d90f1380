"""A large depthwise convolution, trained with branches that export merges (UniRepLKNet, Ding et al., 2024)."""

import torch
from torch import Tensor, nn

from edgetx.nn.layers import TokenBatchNorm, TokenConv
from edgetx.nn.mixers.mixer import MixerInput

DILATED_BRANCHES: dict[int, tuple[tuple[int, int], ...]] = {
    5: ((3, 1), (3, 2)),
    7: ((5, 1), (3, 2), (3, 3)),
    9: ((5, 1), (5, 2), (3, 3), (3, 4)),
    11: ((5, 1), (5, 2), (3, 3), (3, 4), (3, 5)),
    13: ((5, 1), (7, 2), (3, 3), (3, 4), (3, 5)),
}
"""Kernel and dilation of the small branches, by the size of the large kernel, as published."""


class LargeKernel(nn.Module):
    """Depthwise convolution over `size` tokens, plus dilated smaller ones, each with batch normalisation."""

    def __init__(self, given: MixerInput, size: int) -> None:
        super().__init__()
        if size not in DILATED_BRANCHES:
            raise ValueError(f"large_kernel({size}): known sizes are {', '.join(map(str, DILATED_BRANCHES))}")
        self.size, self.width, self.causal = size, given.width, given.causal
        self.large = Branch(given, size, 1)
        self.small = nn.ModuleList(Branch(given, kernel, dilation) for kernel, dilation in DILATED_BRANCHES[size])

    def forward(self, x: Tensor) -> Tensor:
        """Batch × tokens × width, in and out."""
        y: Tensor = self.large(x)
        for branch in self.small:
            y = y + branch(x)
        return y

    @torch.no_grad()
    def merged(self) -> nn.Module:
        """One convolution that computes the same in eval mode."""
        conv = TokenConv(self.width, self.width, self.size, causal=self.causal, groups=self.width, bias=True)
        weight, bias = self.large.widened(self.size)
        for branch in self.small:
            assert isinstance(branch, Branch)
            more_weight, more_bias = branch.widened(self.size)
            weight, bias = weight + more_weight, bias + more_bias
        conv.load_state_dict({"weight": weight, "bias": bias})
        return conv


class Branch(nn.Module):
    """A dilated depthwise convolution and batch normalisation."""

    def __init__(self, given: MixerInput, kernel: int, dilation: int) -> None:
        super().__init__()
        width, self.causal = given.width, given.causal
        self.conv = TokenConv(width, width, kernel, causal=given.causal, dilation=dilation, groups=width)
        self.norm = TokenBatchNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        """Batch × tokens × width, in and out."""
        y: Tensor = self.norm(self.conv(x))
        return y

    def widened(self, size: int) -> tuple[Tensor, Tensor]:
        """Weight and bias of a convolution over `size` tokens that computes the same in eval mode.

        The taps of a dilated kernel have zeros between them; they lie at the end if causal, else in the middle.
        """
        norm, conv = self.norm, self.conv
        assert norm.running_mean is not None
        assert norm.running_var is not None
        gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        span = (conv.kernel_size[0] - 1) * conv.dilation[0]
        first = size - 1 - span if self.causal else (size - 1 - span) // 2
        weight = conv.weight.new_zeros(len(conv.weight), 1, size)
        weight[..., first : first + span + 1 : conv.dilation[0]] = gain[:, None, None] * conv.weight
        return weight, norm.bias - gain * norm.running_mean
