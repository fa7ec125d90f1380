"""The TFLite Micro interpreter itself, built for the host."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeVar

import tflite

from edgetx.errors import ModelError
from edgetx.ir import Array, Arrays
from edgetx.runtimes.native_output import captured_stderr
from edgetx.runtimes.runtime import import_runtime

AMPLE_ARENA_BYTES = 64 << 20

T = TypeVar("T")


@dataclass(frozen=True)
class ArenaUse:
    """The tensor arena as TFLite Micro's own allocator filled it.

    Attributes:
        activation_bytes: Planned tensors and scratch buffers; the same on every machine.
        persistent_bytes: Structures of the interpreter and its kernels. They hold pointers: a host of 64 bits needs
            more here than a microcontroller, so the total is an upper bound for the target.
    """

    activation_bytes: int
    persistent_bytes: int

    @property
    def total_bytes(self) -> int:
        """Least arena with which the model runs on this host."""
        return self.activation_bytes + self.persistent_bytes


class TflmRuntime:
    """Runs a `.tflite` in TFLite Micro.

    Raises:
        ToolchainError: If the package is not installed.
        ModelError: If the interpreter refuses the model.
    """

    name: ClassVar[str] = "tflm"

    def __init__(self, model: bytes) -> None:
        runtime = import_runtime("tflite_micro.python.tflite_micro.runtime", package="tflite-micro")
        self._interpreter = _native(lambda: runtime.Interpreter.from_bytes(model, arena_size=AMPLE_ARENA_BYTES))
        self._outputs = tflite.Model.GetRootAs(model).Subgraphs(0).OutputsLength()

    def run(self, inputs: Sequence[Array]) -> Arrays:
        """One invocation."""
        for index, array in enumerate(inputs):
            self._interpreter.set_input(array, index)
        _native(self._interpreter.invoke)
        return tuple(self._interpreter.get_output(index) for index in range(self._outputs))

    def reset(self) -> None:
        """Bring the state back to where it was at the start."""
        self._interpreter.reset()

    def arena(self) -> ArenaUse:
        """What the model needs, recorded by the allocator."""
        with captured_stderr() as lines:
            self._interpreter.print_allocations()
        head, tail = (
            int(re.findall(rf"allocation {part} (\d+) bytes", "\n".join(lines))[0]) for part in ("head", "tail")
        )
        return ArenaUse(head, tail)


def _native(call: Callable[[], T]) -> T:
    """The result of a call of the interpreter; what it prints when it fails becomes the error."""
    try:
        with captured_stderr() as lines:
            return call()
    except RuntimeError as failure:
        reason = " ".join(lines) or str(failure)
        raise ModelError(f"TFLite Micro refuses the model: {reason}") from failure
