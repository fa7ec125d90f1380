"""What the epochs of a training gave."""

import csv
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path


@dataclass(frozen=True)
class Epoch:
    """What one epoch gave; one row of the log."""

    epoch: int
    loss: float
    valid_loss: float
    valid_accuracy: float
    seconds: float
    processor_seconds: float = 0.0  # of all threads


def best_epoch(history: Sequence[Epoch]) -> Epoch:
    """The epoch with the highest validation accuracy; of equals, the one with the lowest validation loss."""
    return max(history, key=rank)


def rank(epoch: Epoch) -> tuple[float, float]:
    """What makes one epoch better than another: validation accuracy, then validation loss."""
    return epoch.valid_accuracy, -epoch.valid_loss


def write_log(path: Path, history: Sequence[Epoch]) -> None:
    """Write one row per epoch."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Epoch)])
        writer.writeheader()
        writer.writerows(asdict(epoch) for epoch in history)
