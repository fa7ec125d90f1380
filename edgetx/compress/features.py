"""Feature transfer: a student's last features learn to tell what a larger model's embeddings tell.

The first of two stages, after LightHuBERT (Wang et al., 2022); the second learns from labels and answers.
"""

from dataclasses import dataclass, replace

import torch.nn.functional as F
from torch import Tensor, nn

from edgetx.compress.embedding import cut_head
from edgetx.compress.kept import Kept
from edgetx.compress.tuning import Batch, Tuner
from edgetx.compress.views import TuningData, Views
from edgetx.compress.watch import Watch
from edgetx.recipe import Recipe
from edgetx.train.augment import Augmenter
from edgetx.train.outcome import run_name
from edgetx.train.precision import bfloat16
from edgetx.train.saving import load_checkpoint, save_checkpoint


def learn_embeddings(student: nn.Module, recipe: Recipe, known: TuningData, kept: Kept, watch: Watch) -> None:
    """Train a student in place until its features tell what the embeddings tell, or take what is kept of that.

    Raises:
        ModelError: If the student's last layer is not a linear one.
        EdgetxError: If the disk does not allow it.
    """
    assert known.embeddings is not None
    done = kept.file("features.pt", recipe)
    if done.is_file():
        student.load_state_dict(load_checkpoint(done))
        return
    watch.stage(f"features, {run_name(recipe)}")
    probed = Probed(student, known.embeddings.shape[2], recipe.name)
    settings = replace(recipe.training, epochs=recipe.distillation.embedding_epochs)
    views = Views(known.views.x, known.views.y, known.embeddings)
    blends = Augmenter(recipe.training.augmentation, recipe.data.sample_rate_hz)
    matching = Matching(recipe.training.label_smoothing)
    tuner = Tuner(probed, views, known.valid, settings, matching, blends, bfloat16=bfloat16(settings))
    tuner.run(kept.file("features-unfinished.pt", recipe), watch.epoch)
    save_checkpoint(done, dict(probed.whole().state_dict()))


class Probed(nn.Module):
    """A student in two parts, whose features are compared with embeddings; its answers do not change its features.

    Args:
        student: The student; its head is taken off until `whole`.
        features: Width of the embeddings.
        where: What to call it in errors.
    """

    def __init__(self, student: nn.Module, features: int, where: str) -> None:
        super().__init__()
        self.head = cut_head(student, where)
        self.body, self.projection = student, nn.Linear(self.head.in_features, features)

    def forward(self, x: Tensor) -> Tensor:
        """Logits, as the head reads them from the features."""
        logits: Tensor = self.head(self.body(x).detach())
        return logits

    def both(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Logits, and the projection of the features that is compared."""
        features = self.body(x)
        return self.head(features.detach()), self.projection(features)

    def whole(self) -> nn.Module:
        """The student with its head again."""
        self.body.head = self.head
        return self.body


@dataclass(frozen=True)
class Matching:
    """Distance and angle between projected features and embeddings (DistilHuBERT, Chang et al., 2022).

    Mean absolute difference less the logarithm of the sigmoid of the cosine. The head learns the labels beside it, so
    that the best epoch is the one whose features tell the classes apart best.
    """

    smoothing: float

    def __call__(self, module: nn.Module, batch: Batch) -> Tensor:
        """The loss to go down."""
        assert isinstance(module, Probed)
        assert batch.teacher is not None
        logits, features = (part.float() for part in module.both(batch.x))
        apart = F.l1_loss(features, batch.teacher)
        angle = F.logsigmoid(F.cosine_similarity(features, batch.teacher)).mean()
        return apart - angle + F.cross_entropy(logits, batch.labels, label_smoothing=self.smoothing)
