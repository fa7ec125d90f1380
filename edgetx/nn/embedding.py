"""From frames to tokens: what stands before the blocks of an encoder."""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise

from torch import Tensor, nn

from edgetx.nn.layers import SpikingNorm, TokenBatchNorm, TokenConv


class ConvStem(nn.Module):
    """3×3 convolutions with batch normalisation and ReLU, each halving the features of a frame.

    Args:
        features: Values per input frame.
        channels: Output channels of each convolution.
        causal: Whether to look back only.
    """

    def __init__(self, features: int, channels: Sequence[int], causal: bool) -> None:
        super().__init__()
        self.layers = nn.Sequential()
        for before, after in pairwise((1, *channels)):
            padding = [nn.ZeroPad2d((1, 1, 2, 0))] if causal else []
            border = 0 if causal else 1
            convolution = nn.Conv2d(before, after, 3, stride=(1, 2), padding=border, bias=False)
            self.layers.extend([*padding, convolution, nn.BatchNorm2d(after), nn.ReLU()])
            features = (features + 1) // 2
        self.channels = channels[-1]
        self.features = features * self.channels

    def forward(self, x: Tensor) -> Tensor:
        """Batch × frames × features, in and out."""
        x = self.layers(x.unsqueeze(1))
        return x.permute(0, 2, 3, 1).flatten(2)


class ConvEmbedding(nn.Module):
    """Four convolutions over three tokens with ReLU, then batch normalisation; a fifth, added, gives positions.

    The embedding of LMUFormer (Liu et al., 2024). Unless causal it looks five tokens ahead. With `norm_first` the
    normalisation comes before the ReLU, where it folds into the convolution and costs nothing.
    """

    def __init__(self, features: int, width: int, causal: bool, *, norm_first: bool = False) -> None:
        super().__init__()
        self.layers = nn.Sequential()
        for before, after in pairwise((features, *[width] * 4)):
            norm, relu = TokenBatchNorm(after), nn.ReLU()
            last = (norm, relu) if norm_first else (relu, norm)
            self.layers.extend([TokenConv(before, after, 3, causal=causal), *last])
        self.positions = TokenConv(width, width, 3, causal=causal)

    def forward(self, x: Tensor) -> Tensor:
        """Batch × tokens × features to batch × tokens × width."""
        x = self.layers(x)
        embedded: Tensor = x + self.positions(x)
        return embedded


class SpikingConvEmbedding(nn.Module):
    """The embedding of the spiking LMUFormer: neurons between the convolutions and before the positions."""

    def __init__(self, features: int, width: int, causal: bool) -> None:
        super().__init__()
        self.layers = nn.Sequential()
        for before, after in pairwise((features, *[width] * 3)):
            self.layers.extend([TokenConv(before, after, 3, causal=causal), SpikingNorm(after)])
        self.layers.append(TokenConv(width, width, 3, causal=causal))
        self.positions = nn.Sequential(SpikingNorm(width), TokenConv(width, width, 3, causal=causal))

    def forward(self, x: Tensor) -> Tensor:
        """Batch × tokens × features to batch × tokens × width."""
        x = self.layers(x)
        embedded: Tensor = x + self.positions(x)
        return embedded


EMBEDDINGS: dict[str, Callable[[int, int, bool], nn.Module]] = {
    "linear": lambda features, width, causal: nn.Linear(features, width),
    "conv": ConvEmbedding,
    "conv_norm": partial(ConvEmbedding, norm_first=True),
    "spiking_conv": SpikingConvEmbedding,
}
"""By the name in a recipe; called with the features of a token, the width, and whether to look back only."""
