"""Masked patches: tell them apart and reconstruct them (SSAST: Gong et al., 2022, arXiv 2110.09784)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from edgetx.nn.encoder import Encoder
from edgetx.recipe import Pretraining

_RECONSTRUCTION = 10.0  # weight of the squared error beside InfoNCE, section 2.3 of the paper
_SQUARES = (3, 6)  # sides of masked squares of patches: 3, 4 or 5; single frames where a patch holds all features


class MaskedPatches(nn.Module):
    """InfoNCE + 10 · MSE on masked patches, each with a mask of its own.

    A learnable embedding stands in for masked patches; positions are added after. Per clip, InfoNCE matches the
    prediction for each masked patch to its true values among those of all masked patches, by plain dot products.

    Args:
        encoder: What is pretrained.
        settings: `masked` is the share of patches that are hidden.

    Raises:
        ValueError: If the encoder has a stem, which sees beyond a patch.
    """

    def __init__(self, encoder: Encoder, settings: Pretraining) -> None:
        super().__init__()
        if encoder.stem is not None:
            raise ValueError("masked patches need an encoder without a stem, which sees beyond a patch")
        width, size = encoder.head_width, encoder.patch[0] * encoder.patch[1]
        self.encoder, self.masked = encoder, settings.masked
        self.mask = nn.Parameter(0.02 * torch.randn(1, 1, width))
        self.discriminator, self.generator = _head(width, size), _head(width, size)

    def forward(self, features: Tensor) -> Tensor:
        """The loss of normalised features, batch × frames × features."""
        patches = self.encoder.patches(features)
        found, hidden = self._predict(patches, self.discriminator)
        rebuilt, rebuilt_from = self._predict(patches, self.generator)
        return info_nce(found, hidden) + _RECONSTRUCTION * F.mse_loss(rebuilt, rebuilt_from)

    def _predict(self, patches: Tensor, head: nn.Module) -> tuple[Tensor, Tensor]:
        """Predictions for the hidden patches and their true values, batch × hidden × values."""
        hidden = draw_mask(len(patches), self.encoder.grid, self.masked)
        count = int(hidden[0].sum())
        tokens = torch.where(hidden[..., None], self.mask, self.encoder.embedding(patches))
        seen = self.encoder.contextualize(self.encoder.placed(tokens))[:, -hidden.shape[1] :]
        return head(seen[hidden]).reshape(len(patches), count, -1), patches[hidden].reshape(len(patches), count, -1)


def info_nce(predicted: Tensor, true: Tensor) -> Tensor:
    """Cross-entropy of picking each prediction's true patch out of those of the same clip."""
    similarity = predicted @ true.transpose(1, 2)
    own = torch.arange(similarity.shape[1], device=similarity.device).expand(len(similarity), -1)
    return F.cross_entropy(similarity.flatten(0, 1), own.flatten())


def draw_mask(clips: int, grid: tuple[int, int], share: float) -> Tensor:
    """Which patches of each clip are hidden, clips × patches; as many in every clip.

    Patches that hold all features of their frames are hidden singly; others in squares, until enough are covered.
    """
    rows, columns = grid
    count = max(2, round(share * rows * columns))
    if columns == 1:
        order = torch.rand(clips, rows).argsort(dim=1)
        return order < count
    return torch.stack([_squares(rows, columns, count) for _ in range(clips)])


def _squares(rows: int, columns: int, count: int) -> Tensor:
    hidden = torch.zeros(rows, columns, dtype=torch.bool)
    while int(hidden.sum()) < count:
        side = int(torch.randint(*_SQUARES, ()))
        row, column = int(torch.randint(rows, ())), int(torch.randint(columns, ()))
        hidden[row : row + side, column : column + side] = True
    flat = hidden.flatten()
    extra = flat.nonzero().flatten()
    flat[extra[torch.randperm(len(extra))[: int(flat.sum()) - count]]] = False
    return flat


def _head(width: int, size: int) -> nn.Module:
    return nn.Sequential(nn.Linear(width, 256), nn.ReLU(), nn.Linear(256, size))
