"""Teachers: trained models of any kind that say what they hear in audio."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from edgetx.audio import extract
from edgetx.compiler.source import GRAPH, WEIGHTS, load_source
from edgetx.errors import ConfigError, DataError, ModelError
from edgetx.frontends.torch.importer import load_program
from edgetx.ir import Array
from edgetx.recipe import Recipe, load_recipe, recipe_path
from edgetx.train.graph import GraphModule

FULL_SCALE = 32768.0
"""Foreign models take audio between −1 and 1."""
FILES = (".onnx", ".tflite", ".pt2")


@dataclass(frozen=True)
class Teacher:
    """A model that answers in a student's classes.

    Attributes:
        name: What it was loaded from.
        digest: Of its file and of how it is asked; answers are cached by it.
        answer: From 16-bit audio, clips × samples, to logits, clips × the student's classes.
        parameters: How many it has, if it is known.
    """

    name: str
    digest: str
    answer: Callable[[Array], Array]
    parameters: int | None = None

    def logits(self, audio: Array) -> Array:
        """Logits in the student's classes.

        Raises:
            ModelError: If they are not numbers.
        """
        logits = np.asarray(self.answer(audio), np.float32)
        if not np.isfinite(logits).all():
            raise ModelError("answers with something that is not a number", where=self.name)
        return logits


def load_teachers(recipe: Recipe) -> list[Teacher]:
    """The teachers that a recipe names.

    Raises:
        ConfigError: If there is none, or it does not exist.
        ModelError: If one cannot be run, or its classes, rate or clip length are not the student's.
    """
    settings = recipe.distillation
    if not settings.teachers:
        hint = "name models under [distillation] teachers = [...]"
        raise ConfigError("no teacher", where=f"{recipe.name}.distillation.teachers", hint=hint)
    return [load_teacher(name, recipe) for name in settings.teachers]


def load_teacher(source: str, student: Recipe) -> Teacher:
    """One teacher, for the classes, clips and front end of a student; see `load_teachers`."""
    path = Path(source)
    if path.suffix in FILES:
        check_exists(path)
        return _file_teacher(path, student)
    return _folder_teacher(source, student)


def check_exists(path: Path) -> None:
    """Refuse a file that is not there.

    Raises:
        ModelError: If it is not.
    """
    if not path.is_file():
        raise ModelError("no such file", where=str(path))


def _folder_teacher(source: str, student: Recipe) -> Teacher:
    """A model of ours, which hears through its own front end."""
    recipe, folder = load_recipe(source), recipe_path(source).parent
    check_hears_alike(source, recipe, student)
    columns = _columns(recipe.data.classes, student.data.classes, source)
    module = _module(source, folder)

    def answer(audio: Array) -> Array:
        features = extract(audio, recipe.frontend, recipe.data.sample_rate_hz)
        with torch.inference_mode():
            return np.asarray(module(torch.from_numpy(features)))[:, columns]

    weights = folder / (GRAPH if (folder / GRAPH).is_file() else WEIGHTS)
    return Teacher(source, _digest(weights, columns), answer, sum(p.numel() for p in module.parameters()))


def check_hears_alike(source: str, teacher: Recipe, student: Recipe) -> None:
    """Refuse a teacher that does not hear the student's clips.

    Raises:
        ModelError: If its rate or clip length is another.
    """
    for what, theirs, ours in (
        ("audio rate", teacher.data.sample_rate_hz, student.data.sample_rate_hz),
        ("samples per clip", teacher.data.samples, student.data.samples),
    ):
        if theirs != ours:
            hint = "a teacher hears the student's clips; take one of the same rate and length"
            raise ModelError(f"its {what} is {theirs}, the student's {ours}", where=source, hint=hint)


def _module(source: str, folder: Path) -> torch.nn.Module:
    if (folder / GRAPH).is_file():
        return GraphModule(load_source(source).graph).eval()
    from edgetx.nn.zoo import load_zoo_model

    return load_zoo_model(source)[0]


def _file_teacher(path: Path, student: Recipe) -> Teacher:
    """A model from elsewhere, which hears audio between −1 and 1, or the student's features."""
    classes = student.distillation.teacher_classes
    if not classes:
        hint = "distillation.teacher_classes = [names of its outputs, in order]"
        raise ConfigError("nothing says what its outputs mean", where=str(path), hint=hint)
    columns = _columns(classes, student.data.classes, str(path))
    run = file_model(path, student)

    def answer(audio: Array) -> Array:
        rows = run(audio)
        if rows.shape[1] != len(classes):
            hint = "distillation.teacher_classes names every output, in order"
            raise ModelError(f"gives {rows.shape[1]} values for {len(classes)} classes", where=str(path), hint=hint)
        return _as_logits(rows)[:, columns]

    return Teacher(str(path), _digest(path, columns), answer)


def file_model(path: Path, student: Recipe) -> Callable[[Array], Array]:
    """What a model from elsewhere says of 16-bit audio, clips × samples to clips × values.

    It hears audio between −1 and 1, or the student's features.

    Raises:
        ModelError: If it cannot be run, or takes neither.
    """
    run, shape = _runner(path)
    size, features = int(np.prod(shape)), int(np.prod(student.input_shape))
    if size not in (student.data.samples, features):
        wanted = f"{student.data.samples} samples or {features} features"
        raise ModelError(f"takes {size} values, not the student's {wanted}", where=str(path))

    def say(audio: Array) -> Array:
        if size == student.data.samples:
            given = audio.astype(np.float32) / np.float32(FULL_SCALE)
        else:
            given = extract(audio, student.frontend, student.data.sample_rate_hz)
        return np.stack([run(row.reshape(shape)).ravel() for row in given])

    return say


def _runner(path: Path) -> tuple[Callable[[Array], Array], Sequence[int]]:
    """A function from one float input to one float output, and the input's shape."""
    if path.suffix == ".pt2":
        program = load_program(path)
        module = program.module()
        example = program.example_inputs
        if example is None:
            raise ModelError("holds no example input, which would tell its shape", where=str(path))
        return lambda x: np.asarray(module(torch.from_numpy(x)).detach()), example[0][0].shape
    if path.suffix == ".onnx":
        from edgetx.runtimes.onnxruntime import OnnxRuntime

        session = OnnxRuntime(path.read_bytes(), optimize=True)
        return lambda x: session.run([x])[0], session.input_shapes[0]
    from edgetx.runtimes.litert import LitertRuntime

    interpreter = LitertRuntime(path.read_bytes(), optimize=True)
    return lambda x: interpreter.run([x])[0], interpreter.input_shapes[0]


def _as_logits(answers: Array) -> Array:
    """Logarithms of what is a distribution already."""
    is_distribution = answers.min() >= 0 and np.allclose(answers.sum(1), 1, atol=1e-2)
    return np.log(np.maximum(answers, 1e-6)) if is_distribution else answers


def _columns(theirs: Sequence[str], ours: Sequence[str], where: str) -> list[int]:
    """Where the student's classes stand among the teacher's."""
    if missing := [name for name in ours if name not in theirs]:
        raise DataError(
            f"does not know the classes {', '.join(missing)}", where=where, hint=f"it knows {', '.join(theirs)}"
        )
    return [theirs.index(name) for name in ours]


def _digest(path: Path, columns: Sequence[int]) -> str:
    return hashlib.sha256(path.read_bytes() + repr(columns).encode()).hexdigest()
