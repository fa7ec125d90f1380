"""Inputs with their labels, as tensors."""

from dataclasses import dataclass

import torch
from torch import Tensor

from edgetx.audio import Dataset


@dataclass(frozen=True)
class Examples:
    """Clips and labels.

    Attributes:
        x: int16 audio, clips × samples; or float32 model inputs, clips × input shape.
        y: Labels, int64.
    """

    x: Tensor
    y: Tensor

    @classmethod
    def of(cls, dataset: Dataset) -> "Examples":
        """Those of a data set, which shares its memory."""
        return cls(torch.from_numpy(dataset.x), torch.from_numpy(dataset.y))
