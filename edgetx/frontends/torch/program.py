"""A saved program in torch itself."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import torch

from edgetx.frontends.torch.importer import load_program
from edgetx.ir import Array, Arrays


class TorchProgram:
    """Runs a `.pt2`; it keeps nothing between invocations."""

    name: ClassVar[str] = "torch"

    def __init__(self, path: Path) -> None:
        self._module = load_program(path).module()

    @property
    def input_types(self) -> list[str]:
        """None: they are those of the graph."""
        return []

    def run(self, inputs: Sequence[Array]) -> Arrays:
        """One invocation."""
        with torch.no_grad():
            found = self._module(*map(torch.from_numpy, inputs))
        parts, _ = torch.utils._pytree.tree_flatten(found)
        return tuple(part.numpy() for part in parts)

    def reset(self) -> None:
        """Nothing to bring back."""
