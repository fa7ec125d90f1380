"""Sizes of inputs that a file leaves open, as the user fixes them."""

from collections.abc import Mapping
from dataclasses import replace

from edgetx.config import did_you_mean
from edgetx.errors import ModelError
from edgetx.frontends.tflite.file import Subgraph, Tensor


def with_sizes(subgraph: Subgraph, settings: Mapping[str, str]) -> Subgraph:
    """The subgraph with the open axes of its inputs closed.

    Args:
        subgraph: The main subgraph of a file.
        settings: For the name of an input the sizes of its open axes, in order, with commas between them.

    Raises:
        ModelError: If there is no such input, or it has another number of open axes.
    """
    names = [subgraph.tensors[index].name for index in subgraph.inputs]
    for name in settings:
        if name not in names:
            raise ModelError(f"no input is called '{name}'", hint=did_you_mean(name, names))
    tensors = list(subgraph.tensors)
    for index in subgraph.inputs:
        tensor = tensors[index]
        tensors[index] = _closed(tensor, settings[tensor.name]) if tensor.name in settings else tensor
        _refuse_open(tensors[index])
    return replace(subgraph, tensors=tuple(tensors))


def _closed(tensor: Tensor, text: str) -> Tensor:
    words = text.split(",")
    if len(words) != len(tensor.open_axes) or not all(word.strip().isdigit() for word in words):
        raise ModelError(f"'{text}' does not give sizes of {len(tensor.open_axes)} axes", where=f"input.{tensor.name}")
    sizes = dict(zip(tensor.open_axes, map(int, words), strict=True))
    shape = tuple(sizes.get(axis, n) for axis, n in enumerate(tensor.shape))
    return replace(tensor, shape=shape, open_axes=())


def _refuse_open(tensor: Tensor) -> None:
    if tensor.open_axes or any(n < 1 for n in tensor.shape):
        shape = ", ".join("?" if axis in tensor.open_axes else str(n) for axis, n in enumerate(tensor.shape))
        sizes = ",".join(["SIZE"] * len(tensor.open_axes))
        raise ModelError(
            f"dynamic shape ({shape})",
            where=tensor.name,
            hint=f"fix it: --set 'input.{tensor.name}={sizes}'" if sizes else "convert a model with a fixed shape",
        )
