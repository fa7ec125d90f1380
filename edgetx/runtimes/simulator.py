"""The firmware image on a simulated core, called function by function."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edgetx.ir import Array, Arrays, Graph, TensorType
from edgetx.profile import Simulator
from edgetx.targets import Target


class SimulatorRuntime:
    """Calls the model inside a firmware image, without counting cycles."""

    name = "simulator"

    def __init__(self, target: Target, image: Path, graph: Graph) -> None:
        self.graph = graph
        self._sim = Simulator(target, image, count=False)
        symbols = ("edgetx_input", "edgetx_output", "edgetx_invoke", "edgetx_reset")
        self._input, self._output, self._invoke, self._reset = map(self._sim.symbol, symbols)
        self.reset()

    def reset(self) -> None:
        """Bring the state back to where it was at the start."""
        self._sim.call(self._reset)

    def run(self, inputs: Sequence[Array]) -> Arrays:
        """One invocation."""
        for index, (value, data) in enumerate(zip(self.graph.inputs, inputs, strict=True)):
            self._sim.write(self._sim.call(self._input, index), np.asarray(data, value.type.dtype).tobytes())
        self._sim.call(self._invoke)
        return tuple(self._read(index, value.type) for index, value in enumerate(self.graph.outputs))

    def _read(self, index: int, type_: TensorType) -> Array:
        raw = self._sim.read(self._sim.call(self._output, index), type_.nbytes)
        return np.frombuffer(raw, type_.dtype).reshape(type_.shape).copy()
