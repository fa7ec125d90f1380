"""Augmented forms of the training clips, made once: what students are tuned on, with the teachers' answers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from edgetx.audio import Dataset, load_dataset, load_recordings
from edgetx.audio.cache import cached
from edgetx.audio.dataset import read_table
from edgetx.audio.frontend import FixedPointFrontEnd
from edgetx.compress.embedding import Embedder
from edgetx.compress.teacher import Teacher
from edgetx.errors import DataError
from edgetx.ir import Array
from edgetx.recipe import Recipe
from edgetx.train.augment import Augmenter
from edgetx.train.examples import Examples
from edgetx.train.pipeline import noise_recordings
from edgetx.train.seeds import seed_epoch

_BATCH = 64


@dataclass(frozen=True)
class Views:
    """Every training clip in several augmented forms.

    Attributes:
        x: Model inputs, views × clips × input shape.
        y: Labels of the clips.
        teacher: What the teachers say, views × clips × classes; None if there are none. Logits, averaged.
    """

    x: Tensor
    y: Tensor
    teacher: Tensor | None = None

    def some(self, count: int) -> Examples:
        """At least so many clips as they are, at even distances; all if there are no more."""
        step = max(1, len(self.y) // count)
        return Examples(self.x[0][::step], self.y[::step])


@dataclass(frozen=True)
class TuningData:
    """What compression learns from, chooses by, and is measured on.

    Attributes:
        views: Training clips.
        valid: Model inputs that choose.
        test: Model inputs that nothing is chosen by.
        embeddings: What other models find in the training clips, views × clips × features, each feature standardized;
            None if none were asked for.
    """

    views: Views
    valid: Dataset
    test: Dataset
    embeddings: Tensor | None = None


def load_tuning_data(
    data: Path,
    recipe: Recipe,
    teachers: Sequence[Teacher] = (),
    progress: Callable[[str], None] = lambda _: None,
    embedders: Sequence[Embedder] = (),
) -> TuningData:
    """Views of the training clips of an audio folder, and its other clips as they are.

    Raises:
        DataError: If the data is missing, damaged or unlabelled, or a teacher or its embeddings do not fit it.
    """
    features = load_dataset(data, recipe)
    valid, test = features.part("valid"), features.part("test")
    clips = load_recordings(data, recipe.data, "train")
    paths = [row["path"] for row in read_table(data, recipe.data) if row["split"] == "train"]
    views = _Maker(data, recipe, clips, paths, progress)
    x = np.stack([views.features(number) for number in range(recipe.distillation.views)])
    y, numbers = torch.from_numpy(clips.y), range(len(x))
    teacher = embeddings = None
    if teachers:
        answers = [np.stack([views.answers(number, teacher) for number in numbers]) for teacher in teachers]
        teacher = torch.from_numpy(np.mean(answers, 0))
        if recipe.distillation.correct_teachers:
            teacher = corrected(teacher, y)
    if embedders:
        found = [np.stack([views.embeddings(number, embedder) for number in numbers]) for embedder in embedders]
        embeddings = _standardized(torch.from_numpy(np.concatenate(found, axis=2)))
    return TuningData(Views(torch.from_numpy(x), y, teacher), valid, test, embeddings)


def _standardized(features: Tensor) -> Tensor:
    """Each feature with mean 0 and standard deviation 1 over all clips; what does not vary is 0."""
    mean, spread = features.mean((0, 1)), features.std((0, 1), correction=0)
    return (features - mean) / spread.clamp(min=1e-6)


def corrected(answers: Tensor, y: Tensor) -> Tensor:
    """Logits, views × clips × classes, whose best class is the label: where it is another, both change places.

    Known as probability shift (Wen et al., 2019): what a teacher finds alike is kept, its mistakes are not.
    """
    label = y.expand(answers.shape[:2])[..., None]
    best = answers.argmax(2, keepdim=True)
    changed = answers.clone()
    changed.scatter_(2, best, answers.gather(2, label))
    return changed.scatter_(2, label, answers.gather(2, best))


class _Maker:
    """Makes views one by one; view 0 is the clips as they are."""

    def __init__(
        self, data: Path, recipe: Recipe, clips: Dataset, paths: Sequence[str], progress: Callable[[str], None]
    ) -> None:
        if len(clips.y) == 0:
            raise DataError(
                "no clips in split 'train'", where=str(data), hint="edgetx data check shows how many there are"
            )
        settings, rate = recipe.training.augmentation, recipe.data.sample_rate_hz
        self.augmenter = Augmenter(settings, rate, noise_recordings(data, recipe, torch.device("cpu")))
        self.frontend = FixedPointFrontEnd(recipe.frontend, rate, torch)
        self.recipe, self.clips, self.progress = recipe, torch.from_numpy(clips.x), progress
        self.paths, self.files = paths, [data / path for path in paths]
        self.key = (recipe.data, recipe.frontend, replace(settings, mixup=0.0), recipe.training.seed)

    def features(self, number: int) -> Array:
        """Model inputs of a view, clips × input shape."""

        def compute() -> Array:
            self.progress(f"augment {number + 1}/{self.recipe.distillation.views}")
            return np.concatenate([self._features(audio, number) for audio in self._audio(number)])

        return cached(compute, ("view", number, *self.key), self.files)

    def answers(self, number: int, teacher: Teacher) -> Array:
        """A teacher's logits for a view, clips × classes."""

        def compute() -> Array:
            self.progress(f"teacher {teacher.name} {number + 1}/{self.recipe.distillation.views}")
            return np.concatenate([teacher.logits(audio.numpy().astype(np.int16)) for audio in self._audio(number)])

        return cached(compute, ("teacher", teacher.digest, number, *self.key), self.files)

    def embeddings(self, number: int, embedder: Embedder) -> Array:
        """A model's embeddings of a view, clips × features."""

        def compute() -> Array:
            self.progress(f"embeddings of {embedder.name} {number + 1}/{self.recipe.distillation.views}")
            batches = (self.paths[start : start + _BATCH] for start in range(0, len(self.paths), _BATCH))
            pairs = zip(self._audio(number), batches, strict=True)
            return np.concatenate([embedder.embed(audio.numpy().astype(np.int16), paths) for audio, paths in pairs])

        return cached(compute, ("embedding", embedder.digest, number, *self.key), self.files)

    def _audio(self, number: int) -> Sequence[Tensor]:
        seed_epoch(self.recipe.training.seed, number)
        batches = torch.split(self.clips, _BATCH)
        return [self.augmenter.audio(batch) for batch in batches] if number else batches

    def _features(self, audio: Tensor, number: int) -> Array:
        log_mel = self.frontend.log_mel(audio)
        log_mel = self.augmenter.log_mel(log_mel) if number else log_mel
        return np.asarray(self.frontend.normalize(self.frontend.project(log_mel)).float())
