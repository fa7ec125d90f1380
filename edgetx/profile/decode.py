"""Machine code into `Instruction`, by way of capstone."""

from collections.abc import Iterator
from itertools import islice

import capstone
from capstone import arm

from edgetx.errors import DeviceError
from edgetx.profile.instruction import Access, Block, Index, Instruction, Kind
from edgetx.profile.it_blocks import governed

_FIXED_KINDS = {
    Kind.DIVIDE: "sdiv udiv",
    Kind.LONG_MULTIPLY: "smull umull smlal umlal umaal smlalbb smlalbt smlaltb smlaltt smlald smlaldx smlsld smlsldx",
    Kind.PRELOAD: "pld pldw pli",
    Kind.CALL: "bl",
    Kind.BRANCH_REGISTER: "bx bxns",
    Kind.CALL_REGISTER: "blx blxns",
    Kind.COMPARE_BRANCH: "cbz cbnz",
    Kind.TABLE_BRANCH: "tbb tbh",
    Kind.BRANCH: "b",
    Kind.IT: "it",
    Kind.NOP: "nop yield sev csdb",
    Kind.WAIT: "wfi wfe",
    Kind.TRAP: "svc bkpt udf",
    Kind.BARRIER: "dmb dsb isb ssbb pssbb clrex",
    Kind.STATUS: "mrs msr cps cpsie cpsid tt ttt tta ttat sg",
    Kind.FP_MAC: "vmla vmls vnmla vnmls vfma vfms vfnma vfnms",
    Kind.FP_DIVIDE: "vdiv",
    Kind.FP_SQRT: "vsqrt",
    Kind.FP_MOVE: "vmov vins vmovx",
    Kind.FP_STATUS: "vmrs vmsr",
    Kind.LOAD_MULTIPLE: "ldm ldmdb pop ldrd vldmia vldmdb vpop vlldm",
    Kind.STORE_MULTIPLE: "stm stmdb push strd vstmia vstmdb vpush vlstm",
}
_KINDS = {name: kind for kind, names in _FIXED_KINDS.items() for name in names.split()}
_LOADS = ("ldr", "ldrex", "lda", "vldr")
_STORES = ("str", "strex", "stl", "vstr")
_MULTIPLIES = ("mul", "mla", "mls", "smul", "smla", "smlsd", "smua", "smus", "smml", "smmu")
_FLAG_READERS = frozenset({"adc", "sbc", "rsc", "rrx"})
_ALIASES = {"movs": "mov", "fmstat": "vmrs", "fconsts": "vmov", "fconstd": "vmov"}
_REGISTER_ALIASES = {"sb": "r9", "sl": "r10", "fp": "r11", "ip": "r12"}
_SHIFTS = {
    arm.ARM_SFT_ASR: "asr", arm.ARM_SFT_LSL: "lsl", arm.ARM_SFT_LSR: "lsr", arm.ARM_SFT_ROR: "ror",
    arm.ARM_SFT_RRX: "rrx",
}  # fmt: skip
_CONDITIONS = {
    arm.ARM_CC_EQ: "eq", arm.ARM_CC_NE: "ne", arm.ARM_CC_HS: "cs", arm.ARM_CC_LO: "cc", arm.ARM_CC_MI: "mi",
    arm.ARM_CC_PL: "pl", arm.ARM_CC_VS: "vs", arm.ARM_CC_VC: "vc", arm.ARM_CC_HI: "hi", arm.ARM_CC_LS: "ls",
    arm.ARM_CC_GE: "ge", arm.ARM_CC_LT: "lt", arm.ARM_CC_GT: "gt", arm.ARM_CC_LE: "le",
}  # fmt: skip
_LONG_ACCUMULATES = ("umaal", "smlal", "umlal", "smlsld")
_WRITES_NOTHING = frozenset({"cmp", "cmn", "tst", "teq", "vcmp", "vcmpe", "b", "bx", "blx", "cbz", "cbnz", "msr"})


class Decoder:
    """Decodes Thumb code of M-profile cores."""

    def __init__(self) -> None:
        mode = capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS | capstone.CS_MODE_V8
        self._capstone = capstone.Cs(capstone.CS_ARCH_ARM, mode)
        self._capstone.detail = True

    def block(self, address: int, code: bytes) -> Block:
        """All instructions of `code`, which starts at `address`.

        Raises:
            DeviceError: If part of it is not an instruction.
        """
        instructions = tuple(self._instructions(address, code))
        end = instructions[-1].end if instructions else address
        if end != address + len(code):
            raise DeviceError(f"not an instruction: {code[end - address :][:4].hex()}", where=f"0x{end:08x}")
        return Block(address, len(code), instructions)

    def first(self, address: int, code: bytes) -> Instruction:
        """The first instruction of `code`.

        Raises:
            DeviceError: If it is not an instruction.
        """
        for instruction in self._instructions(address, code):
            return instruction
        raise DeviceError(f"not an instruction: {code.hex()}", where=f"0x{address:08x}")

    def end_of_unit(self, address: int, code: bytes) -> int:
        """Address behind the first instruction of `code`; behind the whole IT block if that is an IT instruction.

        Raises:
            DeviceError: If it is not an instruction.
        """
        first = self.first(address, code)
        size = governed(first) if first.kind is Kind.IT else 0
        return list(islice(self._instructions(address, code), 1 + size))[-1].end

    def _instructions(self, address: int, code: bytes) -> Iterator[Instruction]:
        for raw in self._capstone.disasm(code, address):
            yield _convert(raw)


def _convert(raw: capstone.CsInsn) -> Instruction:
    name = _name(raw)
    kind = _kind(raw, name)
    registers, constants, memory = _operands(raw)
    access = _access(raw, name, kind, registers, memory)
    reads, writes = _dataflow(name, kind, registers, access, _updates(raw))
    condition = _CONDITIONS.get(raw.cc, "al") if kind is not Kind.IT else "al"
    return Instruction(
        address=raw.address,
        size=raw.size,
        name=name,
        text=f"{raw.mnemonic} {raw.op_str}".strip(),
        kind=kind,
        condition=condition,
        reads=reads,
        writes=writes,
        sets_flags=bool(raw.update_flags) or (name == "vmrs" and "apsr" in raw.op_str),
        reads_flags=condition != "al" or name in _FLAG_READERS or name.startswith("vsel") or name == "sel",
        access=access,
        target=constants[-1] & 0xFFFF_FFFF
        if kind in (Kind.BRANCH, Kind.CALL, Kind.COMPARE_BRANCH) and constants
        else None,
        shift=_shift(raw),
        immediate=constants[-1] if constants else None,
        double=".f64" in raw.mnemonic,
    )


def _name(raw: capstone.CsInsn) -> str:
    name: str = raw.insn_name() or raw.mnemonic
    if name == "hint":
        return str(raw.mnemonic).split(".")[0]
    return _ALIASES.get(name, name)


def _kind(raw: capstone.CsInsn, name: str) -> Kind:
    if name in _KINDS:
        return _KINDS[name]
    if name.startswith(_LOADS):
        return Kind.LOAD
    if name.startswith(_STORES):
        return Kind.STORE
    if name.startswith(_MULTIPLIES):
        return Kind.MULTIPLY
    if name.startswith("v"):
        return Kind.FP_ALU
    return Kind.ALU


def _operands(raw: capstone.CsInsn) -> tuple[list[str], list[int], object | None]:
    registers: list[str] = []
    constants: list[int] = []
    memory = None
    for operand in raw.operands:
        if operand.type == arm.ARM_OP_REG:
            registers.append(_register(raw, operand.reg))
            if operand.shift.type in (arm.ARM_SFT_ASR_REG, arm.ARM_SFT_LSL_REG, arm.ARM_SFT_LSR_REG):
                registers.append(_register(raw, operand.shift.value))
        elif operand.type == arm.ARM_OP_IMM:
            constants.append(operand.imm)
        elif operand.type == arm.ARM_OP_MEM:
            memory = operand
    return registers, constants, memory


def _register(raw: capstone.CsInsn, number: int) -> str:
    name: str = raw.reg_name(number)
    return _REGISTER_ALIASES.get(name, name)


def _shift(raw: capstone.CsInsn) -> tuple[str, int] | None:
    for operand in raw.operands:
        if operand.type == arm.ARM_OP_REG and operand.shift.type in _SHIFTS:
            return _SHIFTS[operand.shift.type], operand.shift.value
    return None


def _access(raw: capstone.CsInsn, name: str, kind: Kind, registers: list[str], memory: object | None) -> Access | None:
    if kind in (Kind.LOAD, Kind.STORE, Kind.PRELOAD, Kind.TABLE_BRANCH) or name in ("ldrd", "strd"):
        return _single_access(raw, name, memory)
    if kind in (Kind.LOAD_MULTIPLE, Kind.STORE_MULTIPLE):
        return _multiple_access(raw, name, registers)
    return None


def _single_access(raw: capstone.CsInsn, name: str, operand: object | None) -> Access:
    memory = operand.mem  # type: ignore[union-attr]
    index = _register(raw, memory.index) if memory.index else None
    after = [o.imm for o in raw.operands if o.type == arm.ARM_OP_IMM]
    post = bool(raw.post_index)
    mode = Index.POST if post else Index.PRE if raw.writeback else Index.OFFSET
    return Access(
        base=_register(raw, memory.base),
        index=index,
        shift=operand.shift.value if index else 0,  # type: ignore[union-attr]
        offset=(after[-1] if after else 0) if post else memory.disp,
        mode=mode,
        width=_width(name, raw),
        count=2 if name in ("ldrd", "strd") else 1,
    )


def _width(name: str, raw: capstone.CsInsn) -> int:
    if name.startswith("v"):
        return 8 if _register(raw, raw.operands[0].reg).startswith("d") else 4
    if name in ("tbb", "pld", "pli", "pldw") or name.rstrip("t").endswith("b") or name.endswith("exb"):
        return 1
    if name == "tbh" or name.rstrip("t").endswith("h"):
        return 2
    return 4


def _multiple_access(raw: capstone.CsInsn, name: str, registers: list[str]) -> Access:
    stack = name in ("push", "pop", "vpush", "vpop")
    base, listed = ("sp", registers) if stack else (registers[0], registers[1:])
    words = sum(2 if register[0] == "d" else 1 for register in listed)
    down = name in ("push", "vpush") or name.endswith("db")
    mode = Index.OFFSET if not (stack or raw.writeback) else Index.PRE if down else Index.POST
    return Access(base, None, 0, -4 * words if down else 4 * words, mode, 4, words)


def _dataflow(
    name: str, kind: Kind, registers: list[str], access: Access | None, updates: bool
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    reads, writes = _operand_dataflow(name, kind, registers, updates)
    if access:
        reads += list(access.registers)
        if access.mode is not Index.OFFSET:
            writes.append(access.base)
    if kind in (Kind.CALL, Kind.CALL_REGISTER):
        writes.append("lr")
    return _scalars(reads), _scalars(writes)


def _operand_dataflow(name: str, kind: Kind, registers: list[str], updates: bool) -> tuple[list[str], list[str]]:
    if kind in (Kind.LOAD_MULTIPLE, Kind.STORE_MULTIPLE):
        listed = _listed(name, registers)
        return ([], listed) if kind is Kind.LOAD_MULTIPLE else (listed, [])
    if kind is Kind.STORE:
        return (registers[1:], registers[:1]) if name.startswith(("strex", "stlex")) else (registers, [])
    if name in _WRITES_NOTHING or name == "vmsr":
        return registers, []
    if name == "vmrs":
        return ["fpscr"], [r for r in registers[:1] if r[0] == "r"]
    results = _result_count(kind, registers)
    reads = registers[results:]
    if updates or name.startswith(_LONG_ACCUMULATES) or kind is Kind.FP_MAC:
        reads = registers
    return list(reads), registers[:results]


def _updates(raw: capstone.CsInsn) -> bool:
    """Whether the first operand is read as well as written."""
    both = capstone.CS_AC_READ | capstone.CS_AC_WRITE
    return bool(raw.operands) and raw.operands[0].access & both == both


def _listed(name: str, registers: list[str]) -> list[str]:
    if name in ("push", "pop", "vpush", "vpop", "ldrd", "strd"):
        return list(registers)
    return registers[1:]


def _result_count(kind: Kind, registers: list[str]) -> int:
    if kind is Kind.LONG_MULTIPLY:
        return 2
    if kind is Kind.FP_MOVE and len(registers) > 2:
        return 1 if registers[0][0] == "d" else 2
    return 1


def _scalars(registers: list[str]) -> tuple[str, ...]:
    """Double registers as the two single ones they consist of."""
    names: list[str] = []
    for register in registers:
        if register[0] == "d" and register[1:].isdigit():
            number = 2 * int(register[1:])
            names += [f"s{number}", f"s{number + 1}"]
        else:
            names.append(register)
    return tuple(dict.fromkeys(names))
