"""Layers that architectures share, and the norms and activations that recipes name."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn


class TokenBatchNorm(nn.BatchNorm1d):
    """Batch normalisation of every feature over batch and tokens; folds into the next linear layer."""

    def forward(self, x: Tensor) -> Tensor:
        """Batch × tokens × features, in and out."""
        return super().forward(x.flatten(0, 1)).view(x.shape)


class ConvStem(nn.Module):
    """3×3 convolutions with batch normalisation and ReLU, each halving the features of a frame.

    Args:
        features: Values per input frame.
        channels: Output channels of each convolution.
    """

    def __init__(self, features: int, channels: Sequence[int]) -> None:
        super().__init__()
        self.layers = nn.Sequential()
        for before, after in pairwise((1, *channels)):
            convolution = nn.Conv2d(before, after, 3, stride=(1, 2), padding=1, bias=False)
            self.layers.extend([convolution, nn.BatchNorm2d(after), nn.ReLU()])
            features = (features + 1) // 2
        self.features = features * channels[-1]

    def forward(self, x: Tensor) -> Tensor:
        """Batch × frames × features, in and out."""
        x = self.layers(x.unsqueeze(1))
        return x.permute(0, 2, 3, 1).flatten(2)


class Attention(nn.Module):
    """Multi-head self-attention with one projection for queries, keys and values."""

    def __init__(self, width: int, heads: int, bias: bool) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width, bias=bias)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Batch × tokens × width, in and out."""
        q, k, v = (self._split_heads(t) for t in self.qkv(x).chunk(3, dim=-1))
        x = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        attended: Tensor = self.out(x)
        return attended

    def _split_heads(self, x: Tensor) -> Tensor:
        return x.view(*x.shape[:2], self.heads, -1).transpose(1, 2)


NORMS: dict[str, Callable[[int], nn.Module]] = {
    "layer": lambda width: nn.LayerNorm(width, eps=1e-6),
    "rms": lambda width: nn.RMSNorm(width, eps=1e-6),
    "batch": TokenBatchNorm,
}

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "gelu": nn.GELU,
    "relu": nn.ReLU,
    "silu": nn.SiLU,
    "hard_swish": nn.Hardswish,
}
