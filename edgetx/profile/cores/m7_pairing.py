"""Which two instructions the Cortex-M7 issues in one cycle, operands aside."""

from edgetx.profile.cores.operand2 import Operand2, operand2
from edgetx.profile.instruction import Instruction, Kind

_MULTIPLIES = (Kind.MULTIPLY, Kind.LONG_MULTIPLY)
_FP_ARITHMETIC = (Kind.FP_ALU, Kind.FP_MAC, Kind.FP_DIVIDE, Kind.FP_SQRT)
_ALONE = (
    Kind.LOAD_MULTIPLE, Kind.STORE_MULTIPLE, Kind.DIVIDE, Kind.TABLE_BRANCH, Kind.STATUS, Kind.BARRIER, Kind.TRAP,
    Kind.WAIT,
)  # fmt: skip
_SHIFTER_FIRST = (
    Operand2.SHIFTED_CONSTANT, Operand2.SHIFTED_REGISTER, Operand2.SHIFT_BY_CONSTANT, Operand2.SHIFT_BY_REGISTER,
)  # fmt: skip
_SHIFTER_SECOND = (Operand2.SHIFTED_CONSTANT, Operand2.SHIFTED_REGISTER)
_BIT_UNIT = (
    "bf", "sbfx", "ubfx", "sxt", "uxt", "rev", "rbit", "clz", "pkh", "sel", "usad", "ssat", "usat", "qadd", "qsub",
    "qdadd", "qdsub", "qasx", "qsax",
)  # fmt: skip
_BIT_UNIT_ENDS = ("add8", "add16", "sub8", "sub16", "asx", "sax")
_HALVES = (
    "smlab", "smlat", "smulb", "smult", "smlalb", "smlalt", "smlaw", "smulw", "smlad", "smuad", "smlald", "smlsd",
    "smusd", "smlsld",
)  # fmt: skip
_EARLY_BIT_UNIT = ("bf", "sbfx", "ubfx", "rev", "rbit", "sxta", "uxta", "pkh")


def issues_alone(this: Instruction) -> bool:
    """Whether nothing can be issued beside it."""
    wide_transfer = this.is_fp and this.access is not None and this.access.width == 8
    return this.kind in _ALONE or this.name.startswith("strex") or wide_transfer or _moves_two_registers(this)


def can_pair(older: Instruction, younger: Instruction) -> bool:
    """Whether two instructions can issue together if their operands are there."""
    if issues_alone(older) or issues_alone(younger) or younger.name.startswith("ldrex"):
        return False
    if older.end != younger.address and older.kind is not Kind.BRANCH:
        return False
    return not (_share_a_unit(older, younger) or _share_a_shifter(older, younger))


def uses_early_shifter(this: Instruction) -> bool:
    """Whether it occupies the shifter in front of the early ALU."""
    return operand2(this) is Operand2.SHIFTED_REGISTER or _is_bit_unit(this)


def _multiplies_halves(this: Instruction) -> bool:
    return this.kind in _MULTIPLIES and this.name.startswith(_HALVES)


def _moves_two_registers(this: Instruction) -> bool:
    return this.kind is Kind.FP_MOVE and len(this.reads) + len(this.writes) == 4


def _makes_fp_constant(this: Instruction) -> bool:
    return this.kind is Kind.FP_MOVE and not this.reads


def _share_a_unit(older: Instruction, younger: Instruction) -> bool:
    kinds = older.kind, younger.kind
    if _is_bit_unit(younger) and not _multiplies_halves(older):
        return True
    if all(kind in _MULTIPLIES for kind in kinds) or all(kind in _FP_ARITHMETIC for kind in kinds):
        return True
    if any(kind in _MULTIPLIES for kind in kinds) and Kind.STORE in kinds:
        return True
    if kinds == (Kind.STORE, Kind.STORE) or (_makes_fp_constant(older) and _makes_fp_constant(younger)):
        return True
    return all(
        kind is Kind.FP_MAC or (i.is_fp and i.access is not None)
        for kind, i in zip(kinds, (older, younger), strict=True)
    )


def _share_a_shifter(older: Instruction, younger: Instruction) -> bool:
    forms = operand2(older), operand2(younger)
    if forms[0] in _SHIFTER_FIRST and forms[1] in _SHIFTER_SECOND:
        return True
    return older.name.startswith(_EARLY_BIT_UNIT) and forms[1] in _SHIFTER_SECOND


def _is_bit_unit(this: Instruction) -> bool:
    return this.kind is Kind.ALU and (this.name.startswith(_BIT_UNIT) or this.name.endswith(_BIT_UNIT_ENDS))
