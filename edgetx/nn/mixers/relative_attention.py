"""Attention with relative positions by an index remap (Music Transformer, Huang et al., 2018)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from edgetx.nn.mixers.attention import Attention
from edgetx.nn.mixers.mixer import MixerInput


class RelativeAttention(Attention):
    """weights = softmax((q kᵀ + r) / √d), r[i, j] = q[i] · E[j − i], E learned per head.

    Offsets run from 1 − tokens to tokens − 1, to 0 only if causal. q Eᵀ is computed for all of them, and `skewed`
    moves its elements to where they belong: no tensor of tokens × tokens × d.
    """

    def __init__(self, given: MixerInput) -> None:
        super().__init__(given)
        self.tokens = given.tokens
        self.relative = nn.Parameter(torch.empty(given.heads, given.head_width, 2 * given.tokens - 1))
        nn.init.trunc_normal_(self.relative, std=0.02)

    def _attend(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        q = q * q.shape[-1] ** -0.5
        scores = q @ k.transpose(2, 3) + skewed(q @ self.relative)
        if self.mask is not None:
            scores = scores.masked_fill(~self.mask, -torch.inf)
        return torch.softmax(scores, dim=-1) @ v


def skewed(by_offset: Tensor) -> Tensor:
    """From element [i, tokens − 1 + j − i] to [i, j], for i and j below the number of tokens.

    With one more column, a row of the flat tensor ends where the next token's offsets are shifted by one:
    a slice and a reshape do the rest.
    """
    *outer, tokens, columns = by_offset.shape
    flat = F.pad(by_offset, (0, 1)).flatten(-2)
    return flat[..., tokens - 1 : tokens - 1 + tokens * columns].view(*outer, tokens, columns)[..., :tokens]
