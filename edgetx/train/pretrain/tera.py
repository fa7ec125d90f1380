"""Alteration: undo changes along time, frequency and magnitude (TERA: Liu, Li, Lee, 2021, arXiv 2007.06028)."""

import torch
from torch import Tensor, nn

from edgetx.nn.encoder import Encoder
from edgetx.recipe import Pretraining

_SPAN = 7  # frames, all figures as in the authors' configuration
_ZEROED, _REPLACED = 0.8, 0.1  # shares of the chosen spans; the others stay as they are
_WIDEST_BAND = 0.2  # of the features
_NOISY, _NOISE = 0.15, 0.2  # probability, and standard deviation of normalised features


class Alteration(nn.Module):
    """L1 distance between altered features as restored and as they were.

    Args:
        encoder: What is pretrained; its tokens are whole frames.
        settings: `masked` is the share of frames that are altered.

    Raises:
        ValueError: If a token is only a part of a frame.
    """

    def __init__(self, encoder: Encoder, settings: Pretraining) -> None:
        super().__init__()
        if encoder.grid[1] != 1:
            raise ValueError("alteration needs tokens that hold all features of their frames")
        width, size = encoder.head_width, encoder.patch[0] * encoder.features
        self.encoder, self.masked = encoder, settings.masked
        self.restore = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.LayerNorm(width), nn.Linear(width, size))

    def forward(self, features: Tensor) -> Tensor:
        """The loss of normalised features, batch × frames × features."""
        rows, frames = self.encoder.grid[0], self.encoder.patch[0]
        features = features[:, : rows * frames]
        altered, where = alter(features, self.masked)
        tokens = self.encoder.placed(self.encoder.tokens(altered))
        seen = self.encoder.contextualize(tokens)[:, -rows:]
        restored = self.restore(seen).reshape(features.shape)
        loss: Tensor = ((restored - features).abs() * where).sum() / where.sum().clamp(min=1)
        return loss


def alter(features: Tensor, share: float) -> tuple[Tensor, Tensor]:
    """Altered features, and 1 where they are to be restored."""
    clips, frames, bands = features.shape
    altered, where = features.clone(), torch.zeros_like(features)
    for clip in range(clips):
        for start in torch.randperm(max(1, frames - _SPAN + 1))[: max(1, round(share * frames / _SPAN))].tolist():
            span, chance = slice(start, start + _SPAN), float(torch.rand(()))
            length = len(altered[clip, span])
            where[clip, span] = 1
            if chance < _ZEROED:
                altered[clip, span] = 0
            elif chance < _ZEROED + _REPLACED:
                other = int(torch.randint(frames - length + 1, ()))
                altered[clip, span] = features[clip, other : other + length]
        width = int(torch.randint(round(_WIDEST_BAND * bands) + 1, ()))
        low = int(torch.randint(bands - width + 1, ()))
        altered[clip, :, low : low + width] = 0
        where[clip, :, low : low + width] = 1
    noisy = (torch.rand(clips, 1, 1) < _NOISY).float()
    altered = altered + noisy * _NOISE * torch.randn_like(altered)
    return altered, torch.maximum(where, noisy.expand_as(where))
