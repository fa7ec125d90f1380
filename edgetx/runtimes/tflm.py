"""The TFLite Micro interpreter itself, built for the host."""

from collections.abc import Sequence
from typing import ClassVar

import tflite

from edgetx.errors import ModelError
from edgetx.ir import Array, Arrays
from edgetx.runtimes.runtime import import_runtime


class TflmRuntime:
    """Runs a `.tflite` in TFLite Micro.

    Args:
        model: The file.
        arena_bytes: Size of the tensor arena; ample by default.

    Raises:
        ToolchainError: If the package is not installed.
        ModelError: If the interpreter refuses the model.
    """

    name: ClassVar[str] = "tflm"

    def __init__(self, model: bytes, arena_bytes: int | None = None) -> None:
        runtime = import_runtime("tflite_micro.python.tflite_micro.runtime", package="tflite-micro")
        try:
            self._interpreter = runtime.Interpreter.from_bytes(model, arena_size=arena_bytes)
        except RuntimeError as refusal:
            raise ModelError("TFLite Micro refuses the model; its reason is on stderr") from refusal
        self._outputs = tflite.Model.GetRootAs(model).Subgraphs(0).OutputsLength()

    def run(self, inputs: Sequence[Array]) -> Arrays:
        """One invocation."""
        for index, array in enumerate(inputs):
            self._interpreter.set_input(array, index)
        self._interpreter.invoke()
        return tuple(self._interpreter.get_output(index) for index in range(self._outputs))

    def reset(self) -> None:
        """Bring the state back to where it was at the start."""
        self._interpreter.reset()
