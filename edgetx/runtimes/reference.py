"""The numpy references as runtimes: the float graph, and the integer contract."""

from collections.abc import Sequence

from edgetx.ir import Array, Arrays, Graph
from edgetx.reference import execute, initial_state


class ReferenceRuntime:
    """Runs a graph in numpy; `float` or `int` by what the graph is."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.name = "float" if graph.outputs[0].type.is_float else "int"
        self.reset()

    def reset(self) -> None:
        """Bring the state back to where it was at the start."""
        self._state = initial_state(self.graph)

    def run(self, inputs: Sequence[Array]) -> Arrays:
        """One invocation."""
        return execute(self.graph, inputs, self._state)
