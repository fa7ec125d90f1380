"""Forms of the second operand, which decide on latency and pairing on Cortex-M33 and M7."""

from enum import Enum, auto

from edgetx.profile.instruction import Instruction, Kind

_ACCUMULATES = ("mla", "mls", "smla", "smls", "smml")
_LONG_ACCUMULATES = ("smlal", "umlal", "smlsl", "umaal")
_SHIFTS = frozenset({"lsl", "lsr", "asr", "ror", "rrx"})


class Operand2(Enum):
    """Names as in the published measurements."""

    PLAIN = auto()
    SIMPLE_CONSTANT = auto()
    PATTERN_CONSTANT = auto()
    SHIFTED_CONSTANT = auto()
    SHIFTED_REGISTER = auto()
    SHIFT_BY_CONSTANT = auto()
    SHIFT_BY_REGISTER = auto()


def operand2(this: Instruction) -> Operand2:
    """The form of an instruction's second operand; PLAIN where it has none."""
    if this.kind is not Kind.ALU:
        return Operand2.PLAIN
    if this.name in _SHIFTS or (this.name == "mov" and this.shift):
        by_constant = this.immediate is not None or (this.shift and this.shift[1])
        return Operand2.SHIFT_BY_CONSTANT if by_constant else Operand2.SHIFT_BY_REGISTER
    if this.shift and this.shift[1]:
        return Operand2.SHIFTED_REGISTER
    if this.immediate is None or this.name in ("movw", "movt") or this.text.startswith(("addw", "subw")):
        return Operand2.PLAIN if this.immediate is None else Operand2.SIMPLE_CONSTANT
    return _constant(this.immediate & 0xFFFF_FFFF)


def accumulators(this: Instruction) -> tuple[str, ...]:
    """The registers that a multiplication adds its product to."""
    if this.kind is Kind.LONG_MULTIPLY:
        return this.writes if this.name.startswith(_LONG_ACCUMULATES) else ()
    accumulates = this.kind is Kind.MULTIPLY and this.name.startswith(_ACCUMULATES)
    return this.reads[-1:] if accumulates else ()


def is_fp_register(name: str) -> bool:
    """Whether a register belongs to the floating-point unit."""
    return name[0] == "s" and name[1:].isdigit()


def _constant(value: int) -> Operand2:
    if value <= 0xFF:
        return Operand2.SIMPLE_CONSTANT
    low, high = value & 0xFF, value >> 8 & 0xFF
    if value in (low * 0x0001_0001, high * 0x0100_0100, low * 0x0101_0101):
        return Operand2.PATTERN_CONSTANT
    return Operand2.SHIFTED_CONSTANT
