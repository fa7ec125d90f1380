"""Accuracy on a labelled set, with its uncertainty."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from edgetx.evaluation.intervals import wilson_interval
from edgetx.train.examples import Examples

_BATCH = 256


@dataclass(frozen=True)
class Evaluation:
    """The answers of a model on a labelled set.

    Attributes:
        loss: Mean cross entropy.
        answers: Index of the answer per clip.
        labels: Index of the label per clip.
    """

    loss: float
    answers: Tensor
    labels: Tensor

    @property
    def correct(self) -> Tensor:
        """One truth value per clip."""
        return self.answers == self.labels

    @property
    def accuracy(self) -> float:
        """Share of correct answers."""
        return self.correct.float().mean().item()

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of the accuracy, taking clips as independent."""
        return wilson_interval(int(self.correct.sum()), len(self.correct))


def evaluate(model: nn.Module, examples: Examples) -> Evaluation:
    """Run a model, which it leaves in eval mode, over model inputs and compare with the labels."""
    device = next(model.parameters()).device
    model.eval()
    with torch.inference_mode():
        logits = torch.cat([model(batch.to(device)).cpu() for batch in torch.split(examples.x, _BATCH)])
    return Evaluation(F.cross_entropy(logits, examples.y).item(), logits.argmax(dim=1), examples.y)
