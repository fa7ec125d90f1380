"""Learning rate over time, and what is decayed."""

import math
from collections.abc import Callable

from torch import nn

from edgetx.recipe import Pretraining, Training


def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, object]]:
    """Weight decay for matrices; none for biases, norms and single vectors."""
    matrices = [p for p in model.parameters() if p.ndim > 1]
    vectors = [p for p in model.parameters() if p.ndim <= 1]
    return [{"params": matrices, "weight_decay": weight_decay}, {"params": vectors, "weight_decay": 0.0}]


def learning_rate_factor(settings: Training | Pretraining, steps_per_epoch: int) -> Callable[[int], float]:
    """Linear warm-up, then half a cosine down to zero."""
    warmup, total = settings.warmup_epochs * steps_per_epoch, settings.epochs * steps_per_epoch

    def factor(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        return 0.5 + 0.5 * math.cos(math.pi * (step - warmup) / max(1, total - warmup))

    return factor
