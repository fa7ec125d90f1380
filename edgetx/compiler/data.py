"""What `--data` names, as inputs of a model: recordings through its front end, or arrays."""

import zipfile
from pathlib import Path

import numpy as np

from edgetx.audio import Dataset, load_dataset, load_npz
from edgetx.errors import DataError
from edgetx.ir import Array, Graph
from edgetx.recipe import Recipe


def model_data(data: Path, graph: Graph, recipe: Recipe | None) -> Dataset:
    """Inputs of the shape that `graph` takes, with labels if there are any.

    Raises:
        DataError: If the data cannot be read, has another shape, or labels that are no output of the model; or if
            audio is given for a model whose front end is not known.
    """
    if not data.exists():
        raise DataError("no such file or folder", where=str(data))
    if data.suffix == ".npz":
        shape, classes = graph.inputs[0].shape, recipe.data.classes if recipe else ()
        dataset = load_npz(data, shape[1:] if shape[0] == 1 else shape, classes)
        outputs = graph.outputs[0].type.size
        if len(dataset.y) and not 0 <= dataset.y.min() <= dataset.y.max() < outputs:
            raise DataError(
                f"y has labels from {dataset.y.min()} to {dataset.y.max()}, the model has outputs 0 to {outputs - 1}",
                where=str(data),
            )
        return dataset
    if not data.is_dir():
        raise DataError(f"neither an .npz nor a folder of audio: '{data.suffix}'", where=str(data))
    if recipe is None:
        raise DataError(
            "audio needs a front end, which a model file does not name",
            where=str(data),
            hint="pass an .npz with x of shape N × input shape, or compile from a recipe",
        )
    return load_dataset(data, recipe)


def inputs_end_to_end(data: Path, graph: Graph) -> Array:
    """The inputs `in0`, `in1` … of an `.npz`, one after the other: N × their sizes.

    Raises:
        DataError: If one is missing, or has another shape.
    """
    try:
        with np.load(data) as file:
            arrays = dict(file)
    except (OSError, ValueError, zipfile.BadZipFile) as problem:
        raise DataError(f"cannot be read: {problem}", where=str(data)) from problem
    parts = []
    for index, value in enumerate(graph.inputs):
        array = arrays.get(f"in{index}")
        if array is None or not len(array) or array[0].size != value.type.size:
            shape = " × ".join(map(str, value.shape[1:] if value.shape[:1] == (1,) else value.shape))
            raise DataError(f"has no 'in{index}' of N × {shape}", where=str(data))
        parts.append(array.reshape(len(array), -1).astype(np.float32))
    if len({len(part) for part in parts}) > 1:
        raise DataError("inputs of different counts", where=str(data))
    return np.concatenate(parts, 1)
