"""The generated C, compiled for this machine and called in this process."""

import ctypes
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edgetx.errors import ToolchainError
from edgetx.ir import Array, Arrays, TensorType, Value


class HostC:
    """A library built from generated C.

    Args:
        library: The shared library.
        inputs: Inputs of the integer graph.
        outputs: Its outputs.
    """

    name = "c"

    def __init__(self, library: Path, inputs: Sequence[Value], outputs: Sequence[Value]) -> None:
        self.inputs, self.outputs = tuple(inputs), tuple(outputs)
        try:
            self._model = ctypes.CDLL(str(library))
        except OSError as problem:
            raise ToolchainError(f"cannot load the compiled model: {problem}", where=str(library)) from problem
        for function in (self._model.edgetx_input, self._model.edgetx_output):
            function.restype, function.argtypes = ctypes.c_void_p, [ctypes.c_int32]
        self.reset()

    def reset(self) -> None:
        """Bring the state back to where it was at the start."""
        self._model.edgetx_reset()

    def run(self, inputs: Sequence[Array]) -> Arrays:
        """One invocation."""
        for index, (value, data) in enumerate(zip(self.inputs, inputs, strict=True)):
            raw = np.ascontiguousarray(data, value.type.dtype).tobytes()
            ctypes.memmove(self._model.edgetx_input(index), raw, value.type.nbytes)
        self._model.edgetx_invoke()
        return tuple(self._read(index, value.type) for index, value in enumerate(self.outputs))

    def _read(self, index: int, type_: TensorType) -> Array:
        raw = ctypes.string_at(self._model.edgetx_output(index), type_.nbytes)
        return np.frombuffer(raw, type_.dtype).reshape(type_.shape).copy()
