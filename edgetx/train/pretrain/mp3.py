"""Position prediction: say where each token was (MP3: Zhai et al., 2022, arXiv 2207.07611)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from edgetx.nn.encoder import Encoder
from edgetx.recipe import Pretraining

_SMOOTHING = 0.1  # neighbouring frames are nearly alike


class PositionPrediction(nn.Module):
    """Cross-entropy over positions, for tokens that are shown without theirs.

    Only a random part of the tokens is shown, so that the task stays hard; the paper shows all of them as queries and
    a part as keys. Goes with an encoder that has no positions, and with one that has: they come in when it is trained.

    Args:
        encoder: What is pretrained.
        settings: `masked` is the share of tokens that are left out.

    Raises:
        ValueError: If something in the encoder knows the order of tokens by itself.
    """

    def __init__(self, encoder: Encoder, settings: Pretraining) -> None:
        super().__init__()
        if not encoder.ignores_order:
            raise ValueError("positions can be predicted where nothing gives them away: mixer 'full', not causal")
        self.encoder, self.masked = encoder, settings.masked
        self.tell = nn.Linear(encoder.head_width, encoder.grid[0] * encoder.grid[1])

    def forward(self, features: Tensor) -> Tensor:
        """The loss of normalised features, batch × frames × features."""
        tokens = self.encoder.tokens(features)
        clips, count, width = tokens.shape
        shown = max(2, round((1 - self.masked) * count))
        places = torch.rand(clips, count, device=tokens.device).argsort(dim=1)[:, :shown]
        tokens = tokens.gather(1, places[..., None].expand(-1, -1, width))
        seen = self.encoder.contextualize(self.encoder.placed(tokens, positions=False))[:, -shown:]
        return F.cross_entropy(self.tell(seen).flatten(0, 1), places.flatten(), label_smoothing=_SMOOTHING)
