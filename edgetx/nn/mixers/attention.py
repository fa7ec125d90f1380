"""Softmax attention (Vaswani et al., 2017) with a span of its own in each layer (MASFormer, Zhang et al., 2023)."""

from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from edgetx.nn.mixers.mixer import MixerInput


class Attention(nn.Module):
    """Multi-head self-attention with one projection for queries, keys and values; every token sees all."""

    mask: Tensor | None

    def __init__(self, given: MixerInput) -> None:
        super().__init__()
        self.heads, self.given = given.heads, given
        inner = given.heads * given.head_width
        self.qkv = nn.Linear(given.width, 3 * inner, bias=given.bias)
        self.out = nn.Linear(inner, given.width)
        self.register_buffer("mask", self._visible(given), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Batch × tokens × width, in and out."""
        q, k, v = (self._split_heads(t) for t in self.qkv(x).chunk(3, dim=-1))
        x = self._attend(q, k, v).transpose(1, 2).flatten(2)
        attended: Tensor = self.out(x)
        return attended

    def _attend(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        mask = self.mask
        if mask is not None and len(mask) != q.shape[2]:
            mask = self._visible(replace(self.given, tokens=q.shape[2]))
        return F.scaled_dot_product_attention(q, k, v, mask)

    def _visible(self, given: MixerInput) -> Tensor | None:
        """Which key each query may see; None for all."""
        return offsets(given.tokens) <= 0 if given.causal else None

    def _split_heads(self, x: Tensor) -> Tensor:
        return x.view(*x.shape[:2], self.heads, -1).transpose(1, 2)


class WindowAttention(Attention):
    """A token sees those at most `reach` tokens away."""

    def __init__(self, given: MixerInput, reach: int) -> None:
        self.reach = reach
        super().__init__(given)

    def _visible(self, given: MixerInput) -> Tensor:
        distance = offsets(given.tokens)
        return (distance.abs() <= self.reach) & (distance <= (0 if given.causal else self.reach))


class BlockAttention(Attention):
    """A token sees those of its own block of `length` tokens: full attention in every block."""

    def __init__(self, given: MixerInput, length: int) -> None:
        given.blocks(length)
        self.length = length
        super().__init__(given)

    def forward(self, x: Tensor) -> Tensor:
        """Batch × tokens × width, in and out."""
        blocks = x.reshape(-1, self.length, x.shape[-1])
        return super().forward(blocks).view(x.shape)

    def _visible(self, given: MixerInput) -> Tensor | None:
        return offsets(self.length) <= 0 if given.causal else None


def offsets(tokens: int) -> Tensor:
    """Position of the key minus position of the query, queries × keys."""
    positions = torch.arange(tokens)
    return positions - positions[:, None]
