"""Everything random follows from a recipe's seed and the number of an epoch."""

import torch

_APART = 100_003  # a prime, more than any training has epochs


def seed_epoch(seed: int, number: int) -> None:
    """Set torch's generator for an epoch, or for the draw or view of that number; so resumed runs hear the same."""
    torch.manual_seed(seed * _APART + number)
