"""Addresses and operands as expressions of the registers at the entry of a block.

The engine evaluates them when the block is entered, which is far cheaper than watching every access. A value that
cannot be expressed (it comes from a peripheral, or from an instruction not listed here) is left out.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

from edgetx.profile.instruction import Access, Index, Instruction, Kind

MAX_STEPS = 96


class Operation(IntEnum):
    """Operations of a step; the order is that of `native/slice.h`."""

    REGISTER = 0
    CONSTANT = 1
    ADD = 2
    SUB = 3
    AND = 4
    OR = 5
    XOR = 6
    SHIFT_LEFT = 7
    SHIFT_RIGHT = 8
    SHIFT_ARITHMETIC = 9
    MULTIPLY = 10
    DIVIDE_SIGNED = 11
    DIVIDE_UNSIGNED = 12
    BITS = 13
    SIGNED_BITS = 14
    LOAD8 = 15
    LOAD16 = 16
    LOAD32 = 17
    LOADS8 = 18
    LOADS16 = 19


@dataclass(frozen=True)
class Step:
    """One value: an operation on earlier values, by index."""

    operation: Operation
    a: int = -1
    b: int = -1
    immediate: int = 0


_BINARY = {
    "and": Operation.AND, "orr": Operation.OR, "eor": Operation.XOR, "lsl": Operation.SHIFT_LEFT,
    "lsr": Operation.SHIFT_RIGHT, "asr": Operation.SHIFT_ARITHMETIC, "mul": Operation.MULTIPLY,
    "sdiv": Operation.DIVIDE_SIGNED, "udiv": Operation.DIVIDE_UNSIGNED,
}  # fmt: skip
_EXTENSIONS = {
    "uxtb": (Operation.BITS, 8), "uxth": (Operation.BITS, 16),
    "sxtb": (Operation.SIGNED_BITS, 8), "sxth": (Operation.SIGNED_BITS, 16),
}  # fmt: skip
_LOADS = {
    "ldr": Operation.LOAD32, "ldrh": Operation.LOAD16, "ldrb": Operation.LOAD8, "ldrsh": Operation.LOADS16,
    "ldrsb": Operation.LOADS8,
}  # fmt: skip


class Slice:
    """Values of a block, in the order of its instructions.

    Attributes:
        steps: What to compute.
    """

    def __init__(self, register_id: Callable[[str], int]) -> None:
        self._register_id = register_id
        self._values: dict[str, int | None] = {}
        self._known: dict[Step, int] = {}
        self.steps: list[Step] = []

    def address(self, this: Instruction) -> int | None:
        """Value that is the lowest address an instruction accesses, before it executes."""
        access = this.access
        if access is None:
            return None
        base = self._base(this, access)
        if base is None:
            return None
        if access.index:
            index = self.register(access.index)
            return None if index is None else self._step(Operation.ADD, base, index, access.shift)
        if access.mode is Index.POST or (this.kind in _MULTIPLE and this.name not in _DOUBLE and access.offset > 0):
            return base
        return self._plus(base, access.offset)

    def register(self, name: str) -> int | None:
        """Value of a register at this point."""
        if name not in self._values:
            self._values[name] = self._step(Operation.REGISTER, immediate=self._register_id(name))
        return self._values[name]

    def execute(self, this: Instruction) -> None:
        """Go past an instruction."""
        result = self._result(this) if this.condition == "al" and len(this.writes) == 1 else None
        moved = self._moved_base(this)
        for name in this.writes:
            self._values[name] = None
        if moved:
            self._values[moved[0]] = moved[1]
            written = [name for name in this.writes if name != moved[0]]
            if len(written) == 1 and this.condition == "al":
                self._values[written[0]] = self._loaded
        elif result is not None:
            self._values[this.writes[0]] = result

    _loaded: int | None = None

    def _base(self, this: Instruction, access: Access) -> int | None:
        if access.is_literal:
            return self._constant((this.address + 4) & ~3 if this.kind is not Kind.TABLE_BRANCH else this.address + 4)
        return self.register(access.base)

    def _moved_base(self, this: Instruction) -> tuple[str, int | None] | None:
        access = this.access
        self._loaded = self._load(this)
        if access is None or access.mode is Index.OFFSET:
            return None
        base = self.register(access.base)
        moved = None if base is None or this.condition != "al" else self._plus(base, access.offset)
        return access.base, moved

    def _load(self, this: Instruction) -> int | None:
        if this.kind is not Kind.LOAD or this.name not in _LOADS:
            return None
        address = self.address(this)
        return None if address is None else self._step(_LOADS[this.name], address)

    def _result(self, this: Instruction) -> int | None:
        if this.kind is Kind.LOAD:
            return self._load(this)
        if this.name == "adr" and this.immediate is not None:
            return self._constant(((this.address + 4) & ~3) + this.immediate)
        if this.name in ("mov", "movw"):
            return self.register(this.reads[0]) if this.reads and not this.shift else self._maybe_constant(this)
        if this.name in _EXTENSIONS and not this.shift:
            operation, width = _EXTENSIONS[this.name]
            return self._unary(operation, this.reads[0], width)
        if this.name in ("add", "sub"):
            return self._sum(this)
        if this.name in _BINARY and not this.shift:
            return self._binary(this)
        return None

    def _sum(self, this: Instruction) -> int | None:
        operation = Operation.ADD if this.name == "add" else Operation.SUB
        if not this.reads or this.reads[0] == "pc":
            return None
        a = self.register(this.reads[0])
        if this.immediate is not None:
            return (
                None if a is None else self._plus(a, this.immediate if operation is Operation.ADD else -this.immediate)
            )
        b = self.register(this.reads[-1])
        if a is None or b is None or (this.shift and (this.shift[0] != "lsl" or len(this.reads) > 2)):
            return None
        return self._step(operation, a, b, this.shift[1] if this.shift else 0)

    def _binary(self, this: Instruction) -> int | None:
        if not this.reads:
            return None
        a = self.register(this.reads[0])
        b = self._constant(this.immediate) if this.immediate is not None else self.register(this.reads[-1])
        return None if a is None or b is None else self._step(_BINARY[this.name], a, b)

    def _unary(self, operation: Operation, register: str, immediate: int) -> int | None:
        a = self.register(register)
        return None if a is None else self._step(operation, a, immediate=immediate)

    def _maybe_constant(self, this: Instruction) -> int | None:
        return None if this.immediate is None or this.shift else self._constant(this.immediate)

    def _constant(self, value: int) -> int | None:
        return self._step(Operation.CONSTANT, immediate=value & 0xFFFF_FFFF)

    def _plus(self, a: int, offset: int) -> int | None:
        if not offset:
            return a
        constant = self._constant(offset)
        return None if constant is None else self._step(Operation.ADD, a, constant)

    def _step(self, operation: Operation, a: int = -1, b: int = -1, immediate: int = 0) -> int | None:
        step = Step(operation, a, b, immediate)
        if step not in self._known:
            if len(self.steps) == MAX_STEPS:
                return None
            self._known[step] = len(self.steps)
            self.steps.append(step)
        return self._known[step]


_MULTIPLE = (Kind.LOAD_MULTIPLE, Kind.STORE_MULTIPLE)
_DOUBLE = ("ldrd", "strd")
