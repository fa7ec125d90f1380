"""The depthwise-separable CNN for keywords (Zhang et al., 2017) in the form of MLPerf Tiny."""

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class DsCnnOptions:
    """Hyper-parameters; the defaults are those of MLPerf Tiny."""

    channels: int = 64
    layers: int = 4
    kernel: tuple[int, int] = (10, 4)  # frames and features of the first convolution
    stride: tuple[int, int] = (2, 2)
    dropout: float = 0.2

    def __post_init__(self) -> None:
        if min(self.channels, self.layers, *self.kernel, *self.stride) < 1:
            raise ValueError("channels, layers, kernel and stride must be at least 1")


class DsCnn(nn.Module):
    """A strided convolution, depthwise-separable 3×3 convolutions, the mean over the map, one linear layer.

    Args:
        input_shape: Frames and features of the input.
        classes: Number of logits.
        options: Hyper-parameters.
    """

    def __init__(self, input_shape: tuple[int, int], classes: int, options: DsCnnOptions) -> None:
        super().__init__()
        channels = options.channels
        axes = zip(input_shape, options.kernel, options.stride, strict=True)
        (top, bottom), (left, right) = (same_padding(*axis) for axis in axes)
        self.padding = (left, right, top, bottom)
        first = nn.Conv2d(1, channels, options.kernel, options.stride, bias=False)
        self.first = nn.Sequential(first, nn.BatchNorm2d(channels), nn.ReLU(), nn.Dropout(options.dropout))
        self.layers = nn.Sequential(*(_separable(channels) for _ in range(options.layers)))
        self.dropout = nn.Dropout(2 * options.dropout)
        self.head = nn.Linear(channels, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of inputs, batch × frames × features."""
        x = self.layers(self.first(F.pad(x.unsqueeze(1), self.padding)))
        logits: Tensor = self.head(self.dropout(x.mean(dim=(2, 3))))
        return logits


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Zeros before and after, so that the result has ⌈size / stride⌉ elements; an odd one comes last."""
    missing = max(0, (-(-size // stride) - 1) * stride + kernel - size)
    return missing // 2, missing - missing // 2


def _separable(channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(),
        nn.Conv2d(channels, channels, 1, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(),
    )
