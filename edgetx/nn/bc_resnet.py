"""The broadcasted residual network for keywords (Kim et al., 2021)."""

from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor, nn

_BANDS = 5  # of the normalisation by sub-bands
_STAGES = ((8, 2, 1), (12, 2, 2), (16, 4, 2), (20, 4, 1))  # channels, blocks and stride over features
_HEAD_CHANNELS = 32


@dataclass(frozen=True)
class BcResNetOptions:
    """Hyper-parameters; the defaults are those of BC-ResNet-1."""

    scale: float = 1.0  # of all channels
    dropout: float = 0.1

    def __post_init__(self) -> None:
        if self.scale < 0.125:
            raise ValueError(f"scale {self.scale} leaves no channels")


class BcResNet(nn.Module):
    """A 5×5 convolution, four stages of blocks, a depthwise 5×5 convolution, the mean over the map.

    Maps are batch × channels × features × frames.

    Args:
        input_shape: Frames and features of the input.
        classes: Number of logits.
        options: Hyper-parameters.

    Raises:
        ValueError: If the features do not divide into sub-bands.
    """

    def __init__(self, input_shape: tuple[int, int], classes: int, options: BcResNetOptions) -> None:
        super().__init__()
        if input_shape[1] % (8 * _BANDS):
            raise ValueError(f"{input_shape[1]} features; a multiple of {8 * _BANDS} is needed")
        stages = [round(channels * options.scale) for channels, _, _ in _STAGES]
        first, head = round(16 * options.scale), round(_HEAD_CHANNELS * options.scale)
        stem = nn.Conv2d(1, first, 5, stride=(2, 1), padding=2, bias=False)
        self.stem = nn.Sequential(stem, nn.BatchNorm2d(first), nn.ReLU())
        self.stages = nn.Sequential()
        for index, (before, after) in enumerate(pairwise((first, *stages))):
            _, blocks, stride = _STAGES[index]
            self.stages.append(BroadcastBlock(before, after, stride, 2**index, options.dropout))
            self.stages.extend(BroadcastBlock(after, after, 1, 2**index, options.dropout) for _ in range(blocks - 1))
        self.head = nn.Sequential(
            nn.Conv2d(stages[-1], stages[-1], 5, padding=(0, 2), groups=stages[-1], bias=False),
            nn.Conv2d(stages[-1], head, 1, bias=False),
            nn.BatchNorm2d(head),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(head, classes, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Logits of inputs, batch × frames × features."""
        maps = self.stages(self.stem(x.transpose(1, 2).unsqueeze(1)))
        logits: Tensor = self.head(maps).flatten(1)
        return logits


class BroadcastBlock(nn.Module):
    """y = relu(x + f₂(x) + f₁(mean of f₂(x) over features)): f₂ along features, f₁ along frames, broadcast back.

    With another number of channels behind it a block has no x in the sum.
    """

    def __init__(self, before: int, after: int, stride: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.residual = before == after
        project = [nn.Conv2d(before, after, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
        self.spectral = nn.Sequential(
            *(() if self.residual else project),
            nn.Conv2d(after, after, (3, 1), stride=(stride, 1), padding=(1, 0), groups=after, bias=False),
            SubSpectralNorm(after),
        )
        self.temporal = nn.Sequential(
            nn.Conv2d(after, after, (1, 3), padding=(0, dilation), dilation=(1, dilation), groups=after, bias=False),
            nn.BatchNorm2d(after),
            nn.SiLU(),
            nn.Conv2d(after, after, 1, bias=False),
            nn.Dropout2d(dropout),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Batch × channels × features × frames, in and out."""
        spectral = self.spectral(x)
        y = spectral + self.temporal(spectral.mean(dim=2, keepdim=True))
        total: Tensor = x + y if self.residual else y
        return total.relu()


class SubSpectralNorm(nn.BatchNorm2d):
    """Batch normalisation of every channel in every one of five bands of features (Chang et al., 2021)."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels * _BANDS)

    def forward(self, x: Tensor) -> Tensor:
        """Batch × channels × features × frames, in and out."""
        n, channels, features, frames = x.shape
        bands = x.reshape(n, channels * _BANDS, features // _BANDS, frames)
        return super().forward(bands).reshape(x.shape)
