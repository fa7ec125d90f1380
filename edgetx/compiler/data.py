"""What `--data` names, as inputs of a model: recordings through its front end, or arrays."""

from pathlib import Path

from edgetx.audio import Dataset, load_dataset, load_npz
from edgetx.errors import DataError
from edgetx.ir import Graph
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
