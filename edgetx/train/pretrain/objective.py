"""What an encoder is pretrained on."""

from collections.abc import Callable
from typing import Protocol

from torch import Tensor

from edgetx.nn.encoder import Encoder
from edgetx.recipe import Pretraining
from edgetx.train.pretrain.mp3 import PositionPrediction
from edgetx.train.pretrain.ssast import MaskedPatches
from edgetx.train.pretrain.tera import Alteration


class Objective(Protocol):
    """A module around an encoder that gives a loss."""

    encoder: Encoder

    def __call__(self, features: Tensor) -> Tensor:
        """The loss of normalised features, batch × frames × features."""


OBJECTIVES: dict[str, Callable[[Encoder, Pretraining], Objective]] = {
    "masked_patches": MaskedPatches,
    "alteration": Alteration,
    "positions": PositionPrediction,
}
"""By the name in a recipe. Each raises ValueError if it does not go with the encoder."""
