"""Embeddings of clips: what stands before the last layer of a model, or was computed elsewhere."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from edgetx.audio import extract
from edgetx.compiler.source import WEIGHTS
from edgetx.compress.teacher import FILES, check_exists, check_hears_alike, file_model
from edgetx.errors import DataError, ModelError
from edgetx.ir import Array
from edgetx.nn.zoo import load_zoo_model
from edgetx.recipe import Recipe, load_recipe, recipe_path

Embed = Callable[[Array, Sequence[str]], Array]
"""From 16-bit audio, clips × samples, and the clips' paths to embeddings, clips × features."""


@dataclass(frozen=True)
class Embedder:
    """A model, or what one said before, that tells clips apart.

    Attributes:
        name: What it was loaded from.
        digest: Of its file; embeddings are cached by it.
        embed: Gives the embeddings.
    """

    name: str
    digest: str
    embed: Embed


def load_embedders(recipe: Recipe) -> list[Embedder]:
    """The sources of embeddings that a recipe names.

    Raises:
        ConfigError: If one does not exist.
        DataError: If a file of embeddings is damaged.
        ModelError: If a model of ours has no single linear layer at its end, or one hears other clips than the student.
    """
    return [_embedder(name, recipe) for name in recipe.distillation.embeddings]


def _embedder(source: str, student: Recipe) -> Embedder:
    path = Path(source)
    if path.suffix == ".npz":
        return _from_table(path)
    return _from_file(path, student) if path.suffix in FILES else _from_model(source, student)


def _from_file(path: Path, student: Recipe) -> Embedder:
    """A model from elsewhere, whose output is the embedding."""
    check_exists(path)
    say = file_model(path, student)
    return Embedder(str(path), hashlib.sha256(path.read_bytes()).hexdigest(), lambda audio, _: say(audio))


def _from_model(source: str, student: Recipe) -> Embedder:
    recipe = load_recipe(source)
    check_hears_alike(source, recipe, student)
    body = load_zoo_model(source)[0]
    cut_head(body, source)

    def embed(audio: Array, _: Sequence[str]) -> Array:
        features = extract(audio, recipe.frontend, recipe.data.sample_rate_hz)
        with torch.inference_mode():
            return np.asarray(body(torch.from_numpy(features)), np.float32)

    weights = recipe_path(source).parent / WEIGHTS
    return Embedder(source, hashlib.sha256(weights.read_bytes()).hexdigest(), embed)


def _from_table(path: Path) -> Embedder:
    """Embeddings that were computed elsewhere: `path` as in the data's table, and `embedding`, N × features."""
    try:
        with np.load(path) as file:
            names, rows = [str(name) for name in file["path"]], np.asarray(file["embedding"], np.float32)
    except (OSError, ValueError, KeyError, EOFError) as problem:
        hint = "an .npz with path, N texts, and embedding, N × features"
        raise DataError(f"not a file of embeddings: {problem}", where=str(path), hint=hint) from problem
    if rows.ndim != 2 or len(rows) != len(names) or not np.isfinite(rows).all():
        raise DataError(f"{len(names)} paths and embeddings {rows.shape}, not all numbers perhaps", where=str(path))
    at = {name: index for index, name in enumerate(names)}

    def embed(_: Array, paths: Sequence[str]) -> Array:
        if missing := [name for name in paths if name not in at]:
            raise DataError(f"has no embedding of {missing[0]}, and {len(missing) - 1} more", where=str(path))
        return rows[[at[name] for name in paths]]

    return Embedder(str(path), hashlib.sha256(path.read_bytes()).hexdigest(), embed)


def cut_head(module: nn.Module, where: str) -> nn.Linear:
    """Take the last layer off a model, which then gives what went into it.

    Raises:
        ModelError: If its last layer is not one linear layer.
    """
    head = getattr(module, "head", None)
    if not isinstance(head, nn.Linear):
        hint = "encoders and ds-cnn have one; embeddings of other models can come from an .npz"
        raise ModelError("its last layer is not a linear one whose input could be compared", where=where, hint=hint)
    module.head = nn.Identity()
    return head
