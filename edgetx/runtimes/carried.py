"""A runtime of a file that takes states as inputs, with the states kept for it."""

from collections.abc import Sequence

from edgetx.ir import Array, Arrays, State
from edgetx.runtimes.runtime import Runtime


class CarriedStates:
    """Feeds each invocation the states that the last one left.

    Args:
        runtime: Runs the file, whose states are its last inputs and outputs.
        states: What they are.
    """

    def __init__(self, runtime: Runtime, states: Sequence[State]) -> None:
        self.name = runtime.name
        self._runtime, self._states = runtime, states
        self.reset()

    def reset(self) -> None:
        """Bring the state back to where it was at the start."""
        self._runtime.reset()
        self._carried: Arrays = tuple(state.init for state in self._states)

    def run(self, inputs: Sequence[Array]) -> Arrays:
        """One invocation."""
        results = self._runtime.run((*inputs, *self._carried))
        count = len(results) - len(self._states)
        shaped = zip(results[count:], self._states, strict=True)
        self._carried = tuple(array.reshape(state.read.shape) for array, state in shaped)
        return results[:count]
