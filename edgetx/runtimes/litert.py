"""LiteRT (TensorFlow Lite), with its reference kernels or with its fast ones."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from edgetx.errors import ModelError
from edgetx.ir import Array, Arrays
from edgetx.runtimes.runtime import import_runtime


class LitertRuntime:
    """Runs a `.tflite` in LiteRT.

    Args:
        model: The file.
        input_shapes: Shapes for the inputs, where the file leaves sizes open.
        optimize: Whether to take the kernels of the processor, which may differ from the reference in the last bits.

    Raises:
        ToolchainError: If neither LiteRT nor its predecessor is installed.
        ModelError: If the interpreter refuses the model.
    """

    name: ClassVar[str] = "litert"

    def __init__(self, model: bytes, input_shapes: Sequence[tuple[int, ...]] = (), *, optimize: bool = False) -> None:
        self._model, self._shapes, self._optimize = model, input_shapes, optimize
        self._open()

    def _open(self) -> None:
        litert = import_runtime("ai_edge_litert.interpreter", "tflite_runtime.interpreter", package="ai-edge-litert")
        kernels = litert.OpResolverType.AUTO if self._optimize else litert.OpResolverType.BUILTIN_REF
        try:
            self._interpreter = litert.Interpreter(model_content=self._model, experimental_op_resolver_type=kernels)
            for shape, detail in zip(self._shapes, self._interpreter.get_input_details(), strict=False):
                if shape != tuple(detail["shape"]):
                    self._interpreter.resize_tensor_input(detail["index"], shape)
            self._interpreter.allocate_tensors()
        except (RuntimeError, ValueError) as refusal:
            raise ModelError(f"LiteRT refuses the model: {refusal}") from refusal
        self._inputs = [detail["index"] for detail in self._interpreter.get_input_details()]
        self._outputs = [detail["index"] for detail in self._interpreter.get_output_details()]

    @property
    def input_shapes(self) -> list[tuple[int, ...]]:
        """Shapes of the inputs."""
        return [tuple(map(int, detail["shape"])) for detail in self._interpreter.get_input_details()]

    @property
    def input_types(self) -> list[str]:
        """Element types of the inputs."""
        return [np.dtype(detail["dtype"]).name for detail in self._interpreter.get_input_details()]

    @property
    def plain_types(self) -> list[str]:
        """Element types of the inputs; none for those that are quantized."""
        details = self._interpreter.get_input_details()
        return [
            "" if detail["quantization"][0] else name for detail, name in zip(details, self.input_types, strict=True)
        ]

    def run(self, inputs: Sequence[Array]) -> Arrays:
        """One invocation.

        Raises:
            ModelError: If a kernel refuses what it is given, such as an index without a row.
        """
        for index, array in zip(self._inputs, inputs, strict=True):
            self._interpreter.set_tensor(index, array)
        try:
            self._interpreter.invoke()
        except RuntimeError as refusal:
            raise ModelError(f"LiteRT refuses the inputs: {refusal}") from refusal
        return tuple(self._interpreter.get_tensor(index) for index in self._outputs)

    def run_real(self, inputs: Sequence[Array]) -> Arrays:
        """One invocation on real numbers, which are quantized and restored where the file takes and gives integers."""
        i = self._interpreter
        given = [_quantized(x, detail) for x, detail in zip(inputs, i.get_input_details(), strict=True)]
        return tuple(_restored(y, d) for y, d in zip(self.run(given), i.get_output_details(), strict=True))

    def reset(self) -> None:
        """Bring the state back to where it was at the start."""
        self._open()  # which is the only way to reset resource variables


def _quantized(x: Array, detail: Mapping[str, Any]) -> Array:
    scale, zero_point = detail["quantization"]
    if not scale or x.dtype == detail["dtype"]:
        return x.astype(detail["dtype"])
    limits = np.iinfo(detail["dtype"])
    stored: Array = np.clip(np.round(x / scale) + zero_point, limits.min, limits.max).astype(detail["dtype"])
    return stored


def _restored(y: Array, detail: Mapping[str, Any]) -> Array:
    scale, zero_point = detail["quantization"]
    if not scale or y.dtype.kind == "f":
        return y
    real: Array = (y.astype(np.float32) - zero_point) * np.float32(scale)
    return real
