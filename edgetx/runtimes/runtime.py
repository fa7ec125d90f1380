"""The protocol of runtimes, and how their packages are found."""

import importlib
from collections.abc import Sequence
from types import ModuleType
from typing import Protocol

from edgetx.errors import ToolchainError
from edgetx.ir import Array, Arrays


class Runtime(Protocol):
    """A model ready to run; its state lives from one invocation to the next."""

    @property
    def name(self) -> str:
        """Name of the runtime."""

    def run(self, inputs: Sequence[Array]) -> Arrays:
        """One invocation, on arrays of the model's own element types."""

    def reset(self) -> None:
        """Bring the state back to where it was at the start."""


def import_runtime(*modules: str, package: str) -> ModuleType:
    """The first of `modules` that is installed.

    Raises:
        ToolchainError: If none is, with the command that installs `package`.
    """
    for module in modules:
        try:
            return importlib.import_module(module)
        except ModuleNotFoundError:
            continue
    raise ToolchainError(f"package {package} is not installed", hint=f"pip install {package}")
