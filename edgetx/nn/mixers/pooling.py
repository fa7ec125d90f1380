"""The pooling mixer (PoolFormer, Yu et al., 2022)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from edgetx.nn.mixers.mixer import MixerInput


class Pooling(nn.Module):
    """The mean of the `size` tokens around each, minus the token; at the edges of those that exist.

    Causal: the mean of the last `size` tokens. No weights.
    """

    share: Tensor

    def __init__(self, given: MixerInput, size: int) -> None:
        super().__init__()
        if size < 1 or (not given.causal and size % 2 == 0):
            raise ValueError(f"pool({size}): an odd number of tokens is needed around one, or causal")
        self.size, self.causal = size, given.causal
        existing = torch.arange(1, given.tokens + 1).clamp(max=size)
        self.register_buffer("share", (size / existing)[:, None], persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Batch × tokens × width, in and out."""
        return (self._past_mean(x) if self.causal else self._mean(x)) - x

    def _mean(self, x: Tensor) -> Tensor:
        border = self.size // 2
        pooled = F.avg_pool2d(x.unsqueeze(1), (self.size, 1), 1, (border, 0), count_include_pad=False)
        return pooled.squeeze(1)

    def _past_mean(self, x: Tensor) -> Tensor:
        padded = F.pad(x, (0, 0, self.size - 1, 0)).unsqueeze(1)
        return F.avg_pool2d(padded, (self.size, 1), 1).squeeze(1) * self.share
