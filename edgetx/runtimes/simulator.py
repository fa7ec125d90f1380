"""The firmware image on a simulated core, called function by function."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edgetx.ir import Array, Arrays, Graph, TensorType
from edgetx.profile import Layer, Simulator, profile_run
from edgetx.targets import Target


class SimulatorRuntime:
    """Calls the model inside a firmware image.

    Args:
        target: The board.
        image: The firmware image.
        graph: The integer graph that it computes.
        count: Whether to count cycles; without, it runs several times faster.
    """

    name = "simulator"

    def __init__(self, target: Target, image: Path, graph: Graph, *, count: bool = False) -> None:
        self.graph = graph
        self._sim = Simulator(target, image, count=count)
        self.reset()

    def reset(self) -> None:
        """Bring the state back to where it was at the start."""
        self._call("edgetx_reset")

    def run(self, inputs: Sequence[Array]) -> Arrays:
        """One invocation."""
        self.write(inputs)
        self._call("edgetx_invoke")
        return tuple(self._read(index, value.type) for index, value in enumerate(self.graph.outputs))

    def write(self, inputs: Sequence[Array]) -> None:
        """Fill the inputs."""
        for index, (value, data) in enumerate(zip(self.graph.inputs, inputs, strict=True)):
            self._sim.write(self._call("edgetx_input", index), np.asarray(data, value.type.dtype).tobytes())

    def profile(self, layers: Sequence[Layer]) -> dict[str, object]:
        """One invocation, counted, as `edgetx profile --json` prints it."""
        return profile_run(self._sim, lambda: self._call("edgetx_invoke"), layers).report

    def _call(self, symbol: str, *arguments: int) -> int:
        return self._sim.call(self._sim.symbol(symbol), *arguments)

    def _read(self, index: int, type_: TensorType) -> Array:
        raw = self._sim.read(self._call("edgetx_output", index), type_.nbytes)
        return np.frombuffer(raw, type_.dtype).reshape(type_.shape).copy()
