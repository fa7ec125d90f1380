"""What the timing models of application cores need to know of an instruction; no timing here."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from functools import cache
from typing import Any

import capstone

from edgetx.profile.aprofile.classes import accumulates, classify

_Q_FORM = re.compile(r"\.(16b|8h|4s|2d)\b|\bq\d")
_VECTOR = re.compile(r"[vqdshb](\d+)$")
_COMPARES = frozenset({"cmp", "cmn", "tst", "ccmp", "ccmn", "fcmp", "fcmpe", "fccmp"})
_FLAG_READERS = re.compile(r"(b\..+|cs(el|inc|inv|neg)|cset|csetm|cinc|cinv|cneg|adcs?|sbcs?|ngcs?|f?ccm[pn]e?|fcsel)$")
_JUMPS = {"b": "JUMP", "bl": "CALL", "blr": "CALL", "br": "INDIRECT", "ret": "RETURN"}
FLAGS = "nzcv"


class Branch(Enum):
    """How an instruction leaves its block."""

    NONE = auto()
    CONDITIONAL = auto()
    JUMP = auto()
    CALL = auto()
    INDIRECT = auto()
    RETURN = auto()


@dataclass(frozen=True)
class Instruction:
    """An instruction of A64.

    Attributes:
        address: Where it is.
        text: Mnemonic and operands.
        kind: Its row in the tables of a core.
        is_q: Whether it works on 128 bits.
        reads: Registers it reads but for `accumulator`; W and X registers, and all views of a vector, are one.
        writes: Registers it writes.
        updated: The base register of an access that also moves it.
        accumulator: The register that it adds its result to.
        branch: How it leaves the block.
    """

    address: int
    text: str
    kind: str
    is_q: bool
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    updated: str | None = None
    accumulator: str | None = None
    branch: Branch = Branch.NONE


def decode(code: bytes, address: int) -> tuple[Instruction, ...]:
    """Instructions of a block; a word that is none counts as a move."""
    return tuple(_decode_all(code, address))


def _decode_all(code: bytes, address: int) -> Iterator[Instruction]:
    for offset in range(0, len(code), 4):
        decoded = next(_disassembler().disasm(code[offset : offset + 4], address + offset), None)
        if decoded is None:
            yield Instruction(address + offset, ".word", "alu", False, (), ())
        else:
            yield _convert(decoded)


@cache
def _disassembler() -> capstone.Cs:
    disassembler = capstone.Cs(capstone.CS_ARCH_ARM64, capstone.CS_MODE_ARM)
    disassembler.detail = True
    return disassembler


def _convert(raw: Any) -> Instruction:
    mnemonic, text = raw.mnemonic, f"{raw.mnemonic} {raw.op_str}".strip()
    is_q = bool(_Q_FORM.search(raw.op_str))
    registers = [_name(raw, o.reg) for o in raw.operands if o.type == capstone.arm64.ARM64_OP_REG]
    is_vector = any(_VECTOR.match(raw.reg_name(o.reg)) for o in raw.operands if o.type == capstone.arm64.ARM64_OP_REG)
    shifted = any(o.shift.type and o.shift.value for o in raw.operands) or any(o.ext for o in raw.operands)
    kind = classify(mnemonic, raw.op_str, is_vector, is_q, shifted)
    reads, writes, updated = _registers(raw, mnemonic, registers)
    accumulator = (
        registers[0] if is_vector and accumulates(mnemonic) else registers[-1] if kind == "multiply_add" else None
    )
    kept = tuple(r for r in reads if r != accumulator or (kind == "multiply_add" and r in registers[1:3]))
    return Instruction(
        raw.address,
        text,
        kind,
        is_q,
        tuple(dict.fromkeys(r for r in kept if r != "zr")),
        tuple(dict.fromkeys(r for r in writes if r != "zr")),
        updated,
        None if accumulator == "zr" else accumulator,
        _branch(mnemonic),
    )


def _registers(raw: Any, mnemonic: str, registers: list[str]) -> tuple[list[str], list[str], str | None]:
    """What is read, what is written, and the base register if it is moved."""
    memory = next((o.mem for o in raw.operands if o.type == capstone.arm64.ARM64_OP_MEM), None)
    addresses = [_name(raw, r) for r in (memory.base, memory.index) if r] if memory else []
    reads = list(addresses)
    writes: list[str] = []
    is_post_indexed = memory is not None and raw.operands[-1].type != capstone.arm64.ARM64_OP_MEM
    updated = addresses[0] if addresses and (raw.writeback or is_post_indexed) else None
    writes += [updated] if updated else []
    if _branch(mnemonic) is not Branch.NONE:
        reads += registers or (["x30"] if mnemonic == "ret" else [])
        writes += ["x30"] if mnemonic in ("bl", "blr") else []
    elif mnemonic in _COMPARES:
        reads += registers
        writes.append(FLAGS)
    elif mnemonic.startswith("st") or mnemonic == "prfm":
        reads += registers
    elif mnemonic.startswith("ld"):
        loaded = _loaded(raw, registers, is_post_indexed)
        writes += loaded
        reads += registers[len(loaded) :]
        if "[" in raw.op_str.split("}")[-1].split(",")[0]:  # one lane: the others stay
            reads += loaded
    else:
        writes += registers[:1]
        keeps = accumulates(mnemonic) or mnemonic in ("movk", "bfi", "bfxil", "ins", "sli", "sri") or _sets_lane(raw)
        reads += registers if keeps else registers[1:]
        if raw.update_flags:
            writes.append(FLAGS)
    if _FLAG_READERS.match(mnemonic):
        reads.append(FLAGS)
    return reads, writes, updated


def _loaded(raw: Any, registers: list[str], is_post_indexed: bool) -> list[str]:
    """Operands before the address are loaded; one behind it is an increment."""
    last_is_register = raw.operands[-1].type == capstone.arm64.ARM64_OP_REG
    return registers[:-1] if is_post_indexed and last_is_register else registers


def _sets_lane(raw: Any) -> bool:
    return bool(re.match(r"v\d+\.\w+\[\d+\],|v\d+\.[bhsd]\[", raw.op_str)) or raw.mnemonic.endswith("n2")


def _branch(mnemonic: str) -> Branch:
    if mnemonic.startswith("b.") or mnemonic in ("cbz", "cbnz", "tbz", "tbnz"):
        return Branch.CONDITIONAL
    return Branch[_JUMPS[mnemonic]] if mnemonic in _JUMPS else Branch.NONE


def _name(raw: Any, register: int) -> str:
    name = raw.reg_name(register)
    if name in ("xzr", "wzr"):
        return "zr"
    if name in ("sp", "wsp"):
        return "sp"
    if name in ("lr", "fp"):
        return {"lr": "x30", "fp": "x29"}[name]
    if vector := _VECTOR.match(name):
        return f"v{vector[1]}"
    return f"x{name[1:]}" if name[0] == "w" else str(name)
