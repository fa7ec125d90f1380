"""Attention to one's own block and to summaries of all blocks (Combiner, Ren et al., 2021; its fixed pattern)."""

import torch
from torch import Tensor

from edgetx.nn.mixers.attention import Attention, offsets
from edgetx.nn.mixers.mixer import MixerInput


class CombinerAttention(Attention):
    """One softmax over the `length` tokens of the own block and the summaries of all n blocks.

    A block's key is the mean of its keys; its value is what the mean of its queries attends to in the block.
    Causal: within the block no later token, and summaries of earlier blocks only.
    Tokens × (length + n) scores instead of tokens².
    """

    def __init__(self, given: MixerInput, length: int) -> None:
        self.length, self.count = length, given.blocks(length)
        super().__init__(given)

    def _attend(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        q = q * q.shape[-1] ** -0.5
        local_q, local_k, local_v = (self._in_blocks(t) for t in (q, k, v))
        summary_k = local_k.mean(dim=2, keepdim=True)
        summary_v = torch.softmax(local_q.mean(dim=2, keepdim=True) @ local_k.transpose(2, 3), dim=-1) @ local_v
        local = (local_q @ local_k.transpose(2, 3)).view(*q.shape[:3], self.length)
        remote = q @ summary_k.view(*k.shape[:2], self.count, -1).transpose(2, 3)
        weights = self._softmax(torch.cat((local, remote), dim=-1))
        near = self._in_blocks(weights[..., : self.length]) @ local_v
        return near.view(q.shape) + weights[..., self.length :] @ summary_v.view(*v.shape[:2], self.count, -1)

    def _in_blocks(self, x: Tensor) -> Tensor:
        """Batch × heads × tokens × d to batch × (heads · blocks) × length × d."""
        return x.reshape(len(x), -1, self.length, x.shape[-1])

    def _softmax(self, scores: Tensor) -> Tensor:
        if self.mask is not None:
            scores = scores.masked_fill(~self.mask, -torch.inf)
        return torch.softmax(scores, dim=-1)

    def _visible(self, given: MixerInput) -> Tensor | None:
        if not given.causal:
            return None
        local = (offsets(self.length) <= 0).repeat(self.count, 1)
        remote = (offsets(self.count) < 0).repeat_interleave(self.length, dim=0)
        return torch.cat((local, remote), dim=1)
