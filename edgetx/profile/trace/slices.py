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


@dataclass(frozen=True)
class Value:
    """The result of a step plus a constant; the step -1 stands for zero."""

    step: int
    constant: int = 0

    def plus(self, amount: int) -> "Value":
        """The value and a constant added."""
        return Value(self.step, self.constant + amount)


class Slice:
    """Values of a block, in the order of its instructions.

    Attributes:
        steps: What to compute.
    """

    def __init__(self, register_id: Callable[[str], int]) -> None:
        self._register_id = register_id
        self._values: dict[str, Value | None] = {}
        self._stored: dict[Value, Value | None] = {}
        self._known: dict[Step, int] = {}
        self.steps: list[Step] = []

    def address(self, this: Instruction) -> Value | None:
        """The lowest address an instruction accesses, before it executes."""
        access = this.access
        if access is None:
            return None
        base = self._base(this, access)
        if base is None:
            return None
        if access.index:
            index = self.register(access.index)
            return None if index is None else self._add(base, index, access.shift)
        if access.mode is Index.POST or (this.kind in _MULTIPLE and this.name not in _DOUBLE and access.offset > 0):
            return base
        return base.plus(access.offset)

    def register(self, name: str) -> Value | None:
        """Value of a register at this point."""
        if name not in self._values:
            self._values[name] = self._step(Operation.REGISTER, immediate=self._register_id(name))
        return self._values[name]

    def exact(self, value: Value) -> int | None:
        """The step that computes a value, its constant included."""
        if not value.constant and value.step >= 0:
            return value.step
        constant = self._step(Operation.CONSTANT, immediate=value.constant & 0xFFFF_FFFF)
        if constant is None or value.step < 0:
            return constant.step if constant else None
        total = self._step(Operation.ADD, value.step, constant.step)
        return total.step if total else None

    def execute(self, this: Instruction) -> None:
        """Go past an instruction."""
        certain = this.condition == "al"
        moved = self._moved_base(this) if certain else None
        base = this.access.base if this.access and this.access.mode is not Index.OFFSET else None
        results = self._results(this, base) if certain else {}
        self._store(this, certain)
        for name in this.writes:
            self._values[name] = results.get(name)
        if base:
            self._values[base] = moved

    def _results(self, this: Instruction, base: str | None) -> dict[str, Value | None]:
        written = [name for name in this.writes if name != base]
        if this.kind in _MULTIPLE and this.is_load:
            words = self._words(this)
            return {name: self._loaded(Operation.LOAD32, word) for name, word in zip(written, words, strict=False)}
        result = self._load(this) if this.kind is Kind.LOAD else self._result(this)
        return {written[0]: result} if len(written) == 1 else {}

    def _words(self, this: Instruction) -> list[Value]:
        """Addresses of the words of a multiple access, in ascending order."""
        address = self.address(this)
        count = this.access.count if this.access and this.access.width == 4 else 0
        return [address.plus(4 * i) for i in range(count)] if address else []

    def _store(self, this: Instruction, certain: bool) -> None:
        """Remember what is stored, for loads of the same address within the block."""
        if not this.is_store or this.access is None:
            return
        word = this.access.width == 4 and (this.name == "str" or this.kind in _MULTIPLE)
        addresses = self._words(this) if this.kind in _MULTIPLE else [self.address(this)]
        for address, name in zip(addresses, this.reads, strict=False):
            if address:
                self._stored[address] = self.register(name) if certain and word and name in _CORE else None

    def _base(self, this: Instruction, access: Access) -> Value | None:
        if access.is_literal:
            here = this.address + 4
            return Value(-1, here if this.kind is Kind.TABLE_BRANCH else here & ~3)
        return self.register(access.base)

    def _moved_base(self, this: Instruction) -> Value | None:
        access = this.access
        if access is None or access.mode is Index.OFFSET:
            return None
        base = self.register(access.base)
        return base.plus(access.offset) if base else None

    def _load(self, this: Instruction) -> Value | None:
        if this.name not in _LOADS:
            return None
        return self._loaded(_LOADS[this.name], self.address(this))

    def _loaded(self, operation: Operation, address: Value | None) -> Value | None:
        if address in self._stored:
            return self._stored[address] if operation is Operation.LOAD32 else None
        return self._unary(operation, address, 0)

    def _result(self, this: Instruction) -> Value | None:
        if this.name == "adr" and this.immediate is not None:
            return Value(-1, ((this.address + 4) & ~3) + this.immediate)
        if this.name in ("mov", "movw") and not this.shift:
            return self.register(this.reads[0]) if this.reads else Value(-1, this.immediate or 0)
        if this.name == "movt" and this.immediate is not None:
            low = self._unary(Operation.BITS, self.register(this.writes[0]), 16)
            return low.plus(this.immediate << 16) if low else None
        if this.name in _EXTENSIONS and not this.shift:
            operation, width = _EXTENSIONS[this.name]
            return self._unary(operation, self.register(this.reads[0]), width)
        if this.name in ("add", "sub"):
            return self._sum(this)
        if this.name in ("mla", "mls") and len(this.reads) == 3:
            a, b, c = (self.register(name) for name in this.reads)
            product = self._binary(Operation.MULTIPLY, a, b)
            return self._binary(Operation.ADD if this.name == "mla" else Operation.SUB, c, product)
        return self._logical(this)

    def _logical(self, this: Instruction) -> Value | None:
        operand = self._operand(this)
        if this.name == "mvn":
            return self._binary(Operation.XOR, operand, _ONES)
        if not this.reads:
            return None
        first = self.register(this.reads[0])
        if this.name == "rsb":
            return self._binary(Operation.SUB, operand, first)
        if this.name == "bic":
            return self._binary(Operation.AND, first, self._binary(Operation.XOR, operand, _ONES))
        return self._binary(_BINARY[this.name], first, operand) if this.name in _BINARY else None

    def _operand(self, this: Instruction) -> Value | None:
        """The second operand."""
        if this.immediate is not None and not this.shift:
            return Value(-1, this.immediate)
        value = self.register(this.reads[-1]) if this.reads else None
        if not this.shift or not this.shift[1]:
            return None if this.shift else value
        kind, amount = this.shift
        return self._binary(_BINARY[kind], value, Value(-1, amount)) if kind in _BINARY else None

    def _sum(self, this: Instruction) -> Value | None:
        if not this.reads or this.reads[0] == "pc":
            return None
        a, sign = self.register(this.reads[0]), 1 if this.name == "add" else -1
        if this.immediate is not None and not this.shift:
            return a.plus(sign * this.immediate) if a else None
        shift = this.shift[1] if this.shift and this.shift[0] == "lsl" else 0
        b = self.register(this.reads[-1]) if shift else self._operand(this)
        return None if a is None or b is None else self._add(a, b, shift, sign)

    def _binary(self, operation: Operation, a: Value | None, b: Value | None) -> Value | None:
        if a is None or b is None:
            return None
        left, right = self.exact(a), self.exact(b)
        return None if left is None or right is None else self._step(operation, left, right)

    def _unary(self, operation: Operation, value: Value | None, immediate: int) -> Value | None:
        step = self.exact(value) if value else None
        return None if step is None else self._step(operation, step, immediate=immediate)

    def _add(self, a: Value, b: Value, shift: int, sign: int = 1) -> Value | None:
        constant = a.constant + sign * (b.constant << shift)
        if b.step < 0:
            return Value(a.step, constant)
        total = self._step(Operation.ADD if sign > 0 else Operation.SUB, a.step, b.step, shift)
        return total.plus(constant) if total else None

    def _step(self, operation: Operation, a: int = -1, b: int = -1, immediate: int = 0) -> Value | None:
        step = Step(operation, a, b, immediate)
        if step not in self._known:
            if len(self.steps) == MAX_STEPS:
                return None
            self._known[step] = len(self.steps)
            self.steps.append(step)
        return Value(self._known[step])


_ONES = Value(-1, 0xFFFF_FFFF)
_MULTIPLE = (Kind.LOAD_MULTIPLE, Kind.STORE_MULTIPLE)
_DOUBLE = ("ldrd", "strd")
_CORE = frozenset({*(f"r{i}" for i in range(13)), "sp", "lr"})
