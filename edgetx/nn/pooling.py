"""From tokens to one vector."""

import torch
from torch import Tensor

POOLINGS = {"class_token": 1, "mean": 1, "statistics": 2}
"""Features of the vector per feature of a token, by the name in a recipe."""

_LEAST_VARIANCE = 1e-4  # keeps the gradient of the square root finite


def pool(x: Tensor, pooling: str) -> Tensor:
    """The first token, the mean, or the mean and the standard deviation of tokens, batch × tokens × features."""
    if pooling == "class_token":
        return x[:, 0]
    mean = x.mean(dim=1)
    if pooling == "mean":
        return mean
    variance = (x - mean.unsqueeze(1)).square().mean(dim=1)
    return torch.cat((mean, torch.sqrt(variance + _LEAST_VARIANCE)), dim=1)
