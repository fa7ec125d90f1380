"""Recipes: what a model is trained on, heard through, made of and quantized to, as one TOML file.

A recipe is data. `models/<name>/recipe.toml` holds those of the zoo.
"""

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from edgetx.config import did_you_mean, load_toml, parse
from edgetx.errors import ConfigError
from edgetx.resources import data_dir


@dataclass(frozen=True)
class Data:
    """The task: labelled audio clips of one length."""

    classes: tuple[str, ...]
    kind: Literal["audio_folder"] = "audio_folder"
    sample_rate_hz: int = 16_000
    clip_ms: float = 1000.0
    placement: Literal["start", "centre"] = "centre"  # where a clip of another length goes
    test_fold: int = 0  # of the table's column `fold`: this one tests, the next validates; 0: the column `split`
    source: str = ""  # origin and licence, for the model card

    @property
    def samples(self) -> int:
        """Samples per clip."""
        return round(self.clip_ms * self.sample_rate_hz / 1000)


@dataclass(frozen=True)
class FrontEnd:
    """Audio to features: framing, mel filters, logarithm, and a fixed normalisation (x - mean) / std.

    The mean is that of log2 energies; for MFCC it is subtracted before the cosine transform.
    """

    kind: Literal["log_mel", "mfcc"] = "log_mel"
    spectrum: Literal["power", "magnitude"] = "power"
    window_ms: float = 30.0
    hop_ms: float = 20.0
    mels: int = 40
    low_hz: float = 20.0
    high_hz: float = 7600.0
    coefficients: int = 0  # of the cosine transform; mfcc only
    mean: float = 0.0
    std: float = 1.0

    @property
    def features(self) -> int:
        """Values per frame."""
        return self.coefficients if self.kind == "mfcc" else self.mels


FRONT_ENDS = {
    "mlperf_tiny_kws": FrontEnd(
        "mfcc", "magnitude", low_hz=20.0, high_hz=4000.0, coefficients=10, mean=10.5, std=1 / math.log(2)
    ),
    "log_mel_98x40": FrontEnd(window_ms=25.0, hop_ms=10.0, mean=12.5, std=7.0),
    "micro_wake_word": FrontEnd(hop_ms=10.0, low_hz=125.0, high_hz=7500.0, mean=12.5, std=7.0),
}
"""Common settings, for `preset` under `[frontend]`; keys beside it override theirs."""


@dataclass(frozen=True)
class Model:
    """An architecture or preset of `edgetx.nn`, and the options that differ from its defaults."""

    architecture: str
    options: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Augmentation:
    """Random changes of the training clips; the defaults change nothing."""

    shift_ms: float = 0.0  # moved by up to ± this
    shift_around: bool = False  # what leaves a clip at one end comes in at the other; else silence does
    speed: float = 0.0  # played faster or slower by up to this fraction
    gain_db: float = 0.0  # louder or softer by up to this
    equalizer_db: float = 0.0  # standard deviation of a smooth random frequency response
    noise_folder: str = ""  # relative to the data folder
    noise_probability: float = 0.0
    noise_snr_low_db: float = 0.0
    noise_snr_high_db: float = 30.0
    frequency_masks: int = 0
    frequency_mask_features: int = 0  # widest mask
    time_masks: int = 0
    time_mask_frames: int = 0  # widest mask
    mixup: float = 0.0  # parameter of the Beta distribution
    context: float = (
        0.0  # share of batches in which every clip follows another one, as in a stream; for causal encoders
    )
    reuse: int = 1  # epochs that hear the same shift, speed, noise and gain of a clip, with other masks and blends


@dataclass(frozen=True)
class Training:
    """AdamW with linear warm-up and cosine decay; the epoch with the highest validation accuracy is kept."""

    epochs: int = 100
    batch: int = 64
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    warmup_epochs: int = 5
    label_smoothing: float = 0.1
    average: float = 0.0  # decay of the moving average of the weights; 0: none
    patience: int = 0  # epochs without a better one before stopping; 0: never
    precision: Literal["float32", "bfloat16"] = "float32"  # of products and convolutions, where the processor has it
    seed: int = 0
    augmentation: Augmentation = Augmentation()


@dataclass(frozen=True)
class Pretraining:
    """A stage before training that learns from the training clips without their labels; for encoders."""

    objective: Literal["masked_patches", "alteration", "positions"]
    epochs: int = 50
    batch: int = 64
    learning_rate: float = 1e-3
    weight_decay: float = 0.01
    warmup_epochs: int = 4
    masked: float = 0.5  # share of patches, frames or tokens that are hidden or altered


@dataclass(frozen=True)
class Adaptation:
    """Another task on a backbone that is trained already: only the head learns, and what is said here."""

    backbone: str  # a model folder or zoo name, of the same [model] and [frontend]
    rank: int = 0  # of the changes of its linear layers; 0: it stays as it is, and one copy serves several heads


@dataclass(frozen=True)
class Quantization:
    """How the trained model becomes integers."""

    recipe: Literal["static_wi8_ai8", "static_wi8_ai16", "static_wi8_mixed"] = "static_wi8_ai8"
    calibration: Literal["minmax", "percentile", "mse"] = "mse"
    extra_cycles: float = 0.25  # share that 16-bit activations may add to those of 8 bits; static_wi8_mixed only
    calibration_count: int = 128  # training clips kept in calibration.npz


@dataclass(frozen=True)
class Distillation:
    """What a student learns from besides the labels."""

    teachers: tuple[str, ...] = ()  # model folders, zoo names, .onnx, .tflite or .pt2 files
    teacher_classes: tuple[str, ...] = ()  # names of the outputs of teachers that are files, in their order
    method: Literal["logits", "hard"] = "logits"  # softened answers, or the best class alone
    temperature: float = 2.0  # softens the teachers' answers
    weight: float = 0.7  # of the teachers, against that of the labels
    views: int = 16  # augmented forms of every clip, made and shown to the teachers once
    embeddings: tuple[str, ...] = ()  # learned before that: as teachers, or .npz with path and embedding
    embedding_epochs: int = 20  # of learning them
    correct_teachers: bool = False  # where they take a clip for another class, the answers for both change places


@dataclass(frozen=True)
class Pruning:
    """How a trained model is made smaller."""

    method: Literal["accuracy", "taylor", "magnitude", "activation"] = "accuracy"
    step: int = 4  # channels that go together, as kernels like them
    keep: float = 0.5  # of the cycles, unless a budget says how many
    rounds: int = 4  # of pruning and tuning
    epochs: int = 10  # of tuning after each round
    learning_rate: float = 5e-4


@dataclass(frozen=True)
class QuantizationAware:
    """Training with the integer graph's own values."""

    epochs: int = 8
    batch: int = 64
    learning_rate: float = 2e-4


@dataclass(frozen=True)
class Search:
    """Smaller networks than the model's, among which a search under budgets chooses."""

    space: dict[str, tuple[int, ...]] = field(default_factory=dict)  # option of the model to its values
    trials: int = 60  # networks looked at
    epochs: int = 20  # of tuning the network that was chosen


@dataclass(frozen=True)
class Recipe:
    """Everything needed to train a model again."""

    name: str
    data: Data
    model: Model
    description: str = ""
    frontend: FrontEnd = FrontEnd()
    pretraining: Pretraining | None = None
    adaptation: Adaptation | None = None
    training: Training = Training()
    quantization: Quantization = Quantization()
    distillation: Distillation = Distillation()
    pruning: Pruning = Pruning()
    search: Search = Search()
    quantization_aware: QuantizationAware = QuantizationAware()

    @property
    def input_shape(self) -> tuple[int, int]:
        """Frames and features of one clip."""
        rate = self.data.sample_rate_hz
        window, hop = samples(self.frontend.window_ms, rate), samples(self.frontend.hop_ms, rate)
        return 1 + (self.data.samples - window) // hop, self.frontend.features


def samples(duration_ms: float, sample_rate_hz: int) -> int:
    """Samples in a duration."""
    return round(duration_ms * sample_rate_hz / 1000)


def load_recipe(source: str | Path) -> Recipe:
    """Read a recipe from a TOML file, a model folder, or the zoo by name.

    Raises:
        ConfigError: If there is no such recipe, or it is malformed.
    """
    path = recipe_path(source)
    recipe = parse(_with_preset(load_toml(path), str(path)), Recipe, str(path))
    for key, complaint in _problems(recipe):
        raise ConfigError(complaint, where=f"{path}.{key}")
    return recipe


def recipe_path(source: str | Path) -> Path:
    """The TOML file that `source` (a file, a model folder or a name in the zoo) stands for."""
    zoo = data_dir("models")
    for path in (Path(source), Path(source) / "recipe.toml", zoo / source / "recipe.toml"):
        if path.is_file():
            return path
    names = [p.parent.name for p in zoo.glob("*/recipe.toml")]
    raise ConfigError(
        "no such recipe, model folder or zoo model", where=str(source), hint=did_you_mean(str(source), names)
    )


def _with_preset(table: dict[str, object], where: str) -> dict[str, object]:
    """The table with the preset of its front end, if it names one, spelled out."""
    front = table.get("frontend")
    if not isinstance(front, dict) or "preset" not in front:
        return table
    name, own = front["preset"], {key: value for key, value in front.items() if key != "preset"}
    if name not in FRONT_ENDS:
        hint = did_you_mean(str(name), FRONT_ENDS)
        raise ConfigError(f"unknown preset '{name}'", where=f"{where}.frontend.preset", hint=hint)
    return {**table, "frontend": {**asdict(FRONT_ENDS[name]), **own}}


def _problems(recipe: Recipe) -> Iterator[tuple[str, str]]:
    """What types cannot express: key and complaint."""
    data, front = recipe.data, recipe.frontend
    if len(data.classes) < 2 or len(set(data.classes)) < len(data.classes):
        yield "data.classes", "two or more distinct names are needed"
    if not 0 <= front.low_hz < front.high_hz <= data.sample_rate_hz / 2:
        yield "frontend.high_hz", f"must lie between low_hz and {data.sample_rate_hz / 2:g} Hz"
    if not 0 < front.hop_ms <= front.window_ms <= data.clip_ms:
        yield "frontend.window_ms", "must be at least hop_ms and at most clip_ms"
    if front.kind == "mfcc" and not 0 < front.coefficients <= front.mels:
        yield "frontend.coefficients", f"must lie between 1 and mels = {front.mels}"
    if front.std <= 0:
        yield "frontend.std", "must be positive"
    for key, count in _counts(recipe):
        if count < 1:
            yield key, "must be at least 1"
    for key, share in _shares(recipe):
        if not 0 < share < 1:
            yield key, "must lie between 0 and 1"
    if recipe.distillation.temperature <= 0:
        yield "distillation.temperature", "must be positive"
    if recipe.adaptation and recipe.adaptation.rank < 0:
        yield "adaptation.rank", "must not be negative"
    if not 0 <= recipe.distillation.weight <= 1:
        yield "distillation.weight", "must lie between 0 and 1"


def _counts(recipe: Recipe) -> Iterator[tuple[str, int]]:
    """Whole numbers that are at least 1, by key."""
    yield "frontend.mels", recipe.frontend.mels
    yield "quantization.calibration_count", recipe.quantization.calibration_count
    yield "training.augmentation.reuse", recipe.training.augmentation.reuse
    yield "distillation.views", recipe.distillation.views
    yield "pruning.step", recipe.pruning.step
    yield "pruning.rounds", recipe.pruning.rounds
    yield "search.trials", recipe.search.trials
    for key, stage in (("training", recipe.training), ("pretraining", recipe.pretraining)):
        if stage is not None:
            yield from ((f"{key}.epochs", stage.epochs), (f"{key}.batch", stage.batch))
    yield "quantization_aware.batch", recipe.quantization_aware.batch


def _shares(recipe: Recipe) -> Iterator[tuple[str, float]]:
    """Shares of a whole that leave something on either side, by key."""
    yield "pruning.keep", recipe.pruning.keep
    if recipe.pretraining:
        yield "pretraining.masked", recipe.pretraining.masked
