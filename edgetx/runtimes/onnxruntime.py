"""ONNX Runtime, and how far its answers are from the integer reference.

Left to itself, ONNX Runtime fuses quantized ops into kernels of its own. On x86 processors with AVX2 but without VNNI
those add pairs of 8-bit products in 16 saturating bits, so that a layer with large weights comes out wrong by dozens of
steps; Arm processors have no such kernels. Without optimizations every op computes in single precision, as the file
says, on every processor: that is the default here. Users who keep the optimizations on such processors should set the
session option `session.x64quantprecision` to 1, as this module does.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from edgetx.backends.onnx.forms import FED, integer_form, isolated_form, observed_form, value_name
from edgetx.errors import ModelError
from edgetx.fixedpoint import dequantize
from edgetx.ir import Array, Arrays, Graph, Value
from edgetx.reference import execute, initial_state
from edgetx.runtimes.runtime import import_runtime


class OnnxRuntime:
    """Runs an ONNX file in ONNX Runtime.

    Args:
        model: The file.
        integer: Whether to take and give the integers behind the real numbers of the file.
        optimize: Whether ONNX Runtime may fuse ops.

    Raises:
        ToolchainError: If the package is not installed.
        ModelError: If ONNX Runtime refuses the file.
    """

    name: ClassVar[str] = "onnxruntime"

    def __init__(self, model: bytes, *, integer: bool = False, optimize: bool = False) -> None:
        self._session = _session(integer_form(model) if integer else model, optimize)
        self._inputs = self._session.get_inputs()
        self._states = [info.name for info in self._session.get_overridable_initializers()]
        self.reset()

    @property
    def input_shapes(self) -> list[tuple[int, ...]]:
        """Shapes of the inputs; an axis that the file leaves open counts as 1."""
        return [tuple(n if isinstance(n, int) else 1 for n in info.shape) for info in self._inputs]

    def reset(self) -> None:
        """Bring the state back to where it was at the start."""
        self._state: dict[str, Array] = {}

    def run(self, inputs: Sequence[Array]) -> Arrays:
        """One invocation.

        Raises:
            ModelError: If number or shapes of the inputs are wrong.
        """
        wanted, given = [tuple(info.shape) for info in self._inputs], [x.shape for x in inputs]
        if wanted != given:
            raise ModelError(f"the model takes inputs of shape {wanted}, got {given}")
        feed = {info.name: x for info, x in zip(self._inputs, inputs, strict=True)}
        results = self._session.run(None, feed | self._state)
        outputs = len(results) - len(self._states)
        self._state = dict(zip(self._states, results[outputs:], strict=True))
        return tuple(results[:outputs])


class OnnxFile:
    """Runs somebody else's ONNX file as `edgetx compile` reads it.

    Args:
        model: The file, or where it lies: beside what it keeps in other files.
        settings: Values of inputs and of axes, by name; `@output` for an input that takes what that output gave before.

    Raises:
        ToolchainError: If the package is not installed.
        ModelError: If ONNX Runtime refuses the file.
    """

    name: ClassVar[str] = "onnxruntime"

    def __init__(self, model: bytes | Path, settings: Mapping[str, str]) -> None:
        self._session = _session(model, optimize=False)
        infos = self._session.get_inputs()
        self._fed = [info for info in infos if info.name not in settings]
        self._constants = {
            info.name: np.array(float(settings[info.name])).astype(_dtype(info))
            for info in infos
            if not settings.get(info.name, "@").startswith("@")
        }
        self._carried = {name: setting[1:] for name, setting in settings.items() if setting.startswith("@")}
        self._sizes = {info.name: _fixed_shape(info.shape, settings) for info in infos}
        self._outputs = [info.name for info in self._session.get_outputs()]
        self.reset()

    @property
    def input_types(self) -> list[str]:
        """Element types of the inputs."""
        return [_dtype(info) for info in self._fed]

    def reset(self) -> None:
        """Bring the state back to where it was at the start."""
        self._state = {name: np.zeros(self._sizes[name], np.float32) for name in self._carried}

    def run(self, inputs: Sequence[Array]) -> Arrays:
        """One invocation."""
        feed = {info.name: x.reshape(self._sizes[info.name]) for info, x in zip(self._fed, inputs, strict=True)}
        try:
            results = self._session.run(None, {**feed, **self._constants, **self._state})
        except Exception as problem:  # as above
            raise ModelError(f"ONNX Runtime cannot run the file: {problem}") from problem
        found = dict(zip(self._outputs, results, strict=True))
        self._state = {name: found.pop(output) for name, output in self._carried.items()}
        return tuple(found.values())


def _dtype(info: Any) -> str:
    """Element type of an input, from ONNX Runtime's spelling such as `tensor(float)`."""
    name = str(info.type).removeprefix("tensor(").removesuffix(")")
    return {"float": "float32", "double": "float64"}.get(name, name)


def _fixed_shape(shape: Sequence[int | str | None], settings: Mapping[str, str]) -> tuple[int, ...]:
    return tuple(n if isinstance(n, int) else int(settings.get(n or "", 1)) for n in shape)


def tensor_differences(
    graph: Graph, model: bytes, steps: Iterable[Sequence[Array]], *, isolated: bool = True, optimize: bool = False
) -> dict[str, int]:
    """The largest difference from the integer reference, in units of the last place, of each quantized activation.

    Args:
        graph: An integer graph.
        model: Its ONNX file.
        steps: Integer inputs of successive invocations; each finds the states that the reference left.
        isolated: Whether each op computes from the reference's operands, so that differences do not add up.
        optimize: Whether ONNX Runtime may fuse ops.
    """
    session = _session(observed_form(isolated_form(model) if isolated else model), optimize)
    fed = [info.name for info in session.get_inputs() if info.name.endswith(FED)]
    states = [info.name for info in session.get_overridable_initializers()]
    tensors = [info.name for info in session.get_outputs() if value_name(info.name)]
    worst = dict.fromkeys(map(value_name, tensors), 0)
    state = initial_state(graph)
    for inputs in steps:
        feed = dict(zip(states, state.values(), strict=True))
        reference: dict[str, Array] = {}
        execute(graph, inputs, state, observe=reference.__setitem__)
        feed |= {value.name: _real(value, reference[value.name]) for value in graph.inputs}
        feed |= {name: reference[value_name(name)] for name in fed}
        for name, found in zip(worst, session.run(tensors, feed), strict=True):
            worst[name] = max(worst[name], _largest_difference(found, reference[name]))
    return worst


def _real(value: Value, stored: Array) -> Array:
    quant = value.type.quant
    return dequantize(stored, quant.scale[0], quant.zero_point) if quant else stored


def _largest_difference(a: Array, b: Array) -> int:
    return int(np.abs(a.astype(np.int64) - b.astype(np.int64)).max(initial=0))


def _session(model: bytes | Path, optimize: bool) -> Any:
    onnxruntime = import_runtime("onnxruntime", package="onnxruntime")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.add_session_config_entry("session.x64quantprecision", "1")
    options.log_severity_level = 3
    if not optimize:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as problem:  # the errors of ONNX Runtime have no other base in common
        raise ModelError(f"ONNX Runtime refuses the file: {problem}") from problem
