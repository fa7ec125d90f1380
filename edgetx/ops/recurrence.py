"""Base of the recurrences: ops over any number of steps that take a state and give it back."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from edgetx.errors import ModelError
from edgetx.ir import TensorType
from edgetx.ops.op import Op


@dataclass(frozen=True)
class Recurrence(Op):
    """y, state' = f(x …, state): the last operand is the state before the first step, the last result after the last.

    The time axis is the second of every other operand and result. A clip passes a constant as the state and leaves
    the new one unread; a program that runs hop by hop binds both to a state of the graph. Either computes the same.
    """

    activation_bits: ClassVar[frozenset[int]] = frozenset({8, 16})

    @abstractmethod
    def state_shape(self, *inputs: TensorType) -> tuple[int, ...]:
        """Shape of the state for these operands."""

    def check_state(self, *inputs: TensorType) -> None:
        """Compare the state with the other operands.

        Raises:
            ModelError: If it does not fit them.
        """
        wanted = self.state_shape(*inputs)
        if inputs[-1].shape != wanted:
            raise ModelError(f"{self.name} with a state {inputs[-1].shape}, expected {wanted}")
