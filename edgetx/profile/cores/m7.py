"""Cortex-M7: six stages, two instructions per cycle in order, an early and a late ALU one cycle apart.

"Older" is the instruction at the lower address of a pair, "younger" the other. Times are issue cycles. A result is
described by when its readers may issue: those that read early (addresses, shifters), multiplicands, the late ALU, and
accumulators, which read a cycle after the late ALU.
"""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import cache

from edgetx.profile.cores.m7_pairing import can_pair, issues_alone, uses_early_shifter
from edgetx.profile.cores.operand2 import Operand2, accumulators, is_fp_register, operand2
from edgetx.profile.cores.timing import Cause, Cost, Fetch, Timing
from edgetx.profile.instruction import Block, Index, Instruction, Kind


@dataclass(frozen=True)
class M7Parameters:
    """Latencies and penalties.

    Attributes:
        load_cycles: From a word load to the late ALU.
        part_load_cycles: From a byte or half-word load to the late ALU.
        multiply_cycles: From a multiplication to the late ALU.
        divide_cycles: SDIV and UDIV at least; more depends on the operands.
        table_branch_cycles: TBB and TBH.
        indirect_cycles: BX, BLX and loads of PC, behind their issue.
        system_cycles: MRS, MSR, barriers.
        narrow_for_branch_pair: 16-bit instructions that must precede a taken branch that pairs with its target.
        early_flag_cycles: How long before a branch flags must be set for a cheaper misprediction.
        fp_cycles: Latency of VADD and VMUL.
        fma_cycles: Latency of VFMA; VMLA takes one more.
        fp_accumulator_cycles: From any of them to an accumulator.
        fp_mac_block_cycles: Cycles after a MAC in which VADD and 64-bit transfers do not issue.
        fp_divide_cycles: VDIV.
        fp_sqrt_cycles: VSQRT.
        fp_from_core_cycles: Latency of a move to the FPU.
        fp_double_multiply_cycles: VMUL.F64.
        fp_double_mac_cycles: VFMA.F64 and VMLA.F64.
        fp_double_divide_cycles: VDIV.F64 and VSQRT.F64.
        double_add_cycles: VADD.F64.
    """

    load_cycles: int
    part_load_cycles: int
    multiply_cycles: int
    divide_cycles: int
    table_branch_cycles: int
    indirect_cycles: int
    system_cycles: int
    narrow_for_branch_pair: int
    early_flag_cycles: int
    fp_cycles: int
    fma_cycles: int
    fp_accumulator_cycles: int
    fp_mac_block_cycles: int
    fp_divide_cycles: int
    fp_sqrt_cycles: int
    fp_from_core_cycles: int
    fp_double_multiply_cycles: int
    fp_double_mac_cycles: int
    fp_double_divide_cycles: int
    double_add_cycles: int


class Need(IntEnum):
    """How a reader takes an operand; the order is that of the times of a `Result`."""

    EARLY = 0
    MULTIPLICAND = 1
    LATE = 2
    ACCUMULATOR = 3
    STORE = 4
    MLA_ACCUMULATOR = 5


Result = tuple[int, int, int, int, int, int]
"""When a reader of each `Need` may issue."""


_LONG_AGO = -4


@dataclass(frozen=True)
class M7State:
    """History; times are relative to the first cycle in which a new pair may issue.

    Attributes:
        older: The instruction that waits for a partner, if it may have one.
        last: The instruction before.
        results: Registers under way.
        flags: When conditional instructions may issue.
        fpu_free: When the FPU takes an instruction.
        mac_block: Until when VADD and 64-bit transfers wait for a MAC.
        narrow: How many of the last instructions were 16 bits wide.
    """

    older: Instruction | None = None
    last: Instruction | None = None
    results: tuple[tuple[str, Result], ...] = ()
    flags: int = _LONG_AGO
    fpu_free: int = 0
    mac_block: int = 0
    narrow: int = 0


class M7Model:
    """Timing of Cortex-M7."""

    def __init__(self, parameters: M7Parameters) -> None:
        self._p = parameters

    def reset(self) -> Hashable:
        """History of a core that has just started."""
        return M7State()

    def time(self, state: Hashable, block: Block) -> Timing:
        """Time a block that follows a history."""
        assert isinstance(state, M7State)
        entry, state = self._enter(state, block.address)
        costs: list[Cost] = []
        fetches: list[Fetch] = []
        paired = set()
        now = entry.total
        for i, this in enumerate(block.instructions):
            older = state.older
            cost, state = self._issue(state, this)
            if not cost.total and older and older.access and this.access:
                paired.add(i)
            fetches.append(Fetch(this.address, now, 0))
            now += cost.total
            costs.append(cost)
        early = -state.flags >= self._p.early_flag_cycles
        return Timing(entry, tuple(costs), state, tuple(fetches), frozenset(), frozenset(paired), early)

    def _enter(self, state: M7State, address: int) -> tuple[Cost, M7State]:
        """Go to a block; a branch that was predicted costs nothing but its partner."""
        last = state.last
        if last is None or not last.changes_flow:
            return Cost(0), state
        if address == last.end and last.condition != "al":
            return Cost(0), state
        if last.target is None:
            penalty = self._p.indirect_cycles
            return Cost(0, ((Cause.BRANCH, penalty),)), replace(_later(state, penalty), older=None)
        if state.older is last and state.narrow < self._p.narrow_for_branch_pair:
            return Cost(0), replace(state, older=None)
        return Cost(0), state

    def _issue(self, state: M7State, this: Instruction) -> tuple[Cost, M7State]:
        older = state.older
        if older and can_pair(older, this) and self._pairs_now(state, older, this):
            return Cost(0), self._after(state, this, -1, older)
        operands = self._ready_at(state, this)
        fpu = self._fpu_ready_at(state, this)
        stalls = []
        if operands > 0:
            stalls.append((Cause.DEPENDENCE, operands))
        if fpu > max(operands, 0):
            stalls.append((Cause.FP, fpu - max(operands, 0)))
        waited = sum(cycles for _, cycles in stalls)
        cycles = self._cycles(this)
        after = self._after(_later(state, waited), this, 0, None)
        return Cost(cycles, tuple(stalls)), _later(after, cycles)

    def _pairs_now(self, state: M7State, older: Instruction, this: Instruction) -> bool:
        if older.name == "movw" and this.name == "movt" and older.writes == this.writes:
            return True
        return self._ready_at(state, this) <= -1 and self._fpu_ready_at(state, this) <= -1

    def _ready_at(self, state: M7State, this: Instruction) -> int:
        results = dict(state.results)
        times = [results[name][need] for name, need in _needs(this) if name in results]
        if this.reads_flags and this.kind is not Kind.BRANCH and this.kind is not Kind.IT:
            times.append(state.flags)
        return max([-1, *times])

    def _fpu_ready_at(self, state: M7State, this: Instruction) -> int:
        if not this.is_fp:
            return -1
        blocked = this.name in ("vadd", "vsub") or (
            this.access is not None and this.access.width * this.access.count > 4
        )
        return max(state.fpu_free, state.mac_block if blocked else -1)

    def _after(self, state: M7State, this: Instruction, at: int, older: Instruction | None) -> M7State:
        """History behind an instruction that issues at a time."""
        results = dict(state.results)
        early = self._is_early(results, this, at, older)
        for name in this.writes:
            results[name] = self._result(this, name, at, early)
        partner = None if older or issues_alone(this) else this
        is_mac = this.kind is Kind.FP_MAC
        return M7State(
            older=partner,
            last=this,
            results=tuple(sorted(results.items())),
            flags=at + 1 if this.sets_flags else state.flags,
            fpu_free=at + self._fpu_cycles(this) if this.is_fp else state.fpu_free,
            mac_block=at + 1 + self._p.fp_mac_block_cycles if is_mac else state.mac_block,
            narrow=0 if this.wide else min(state.narrow + 1, 4),
        )

    def _is_early(self, results: dict[str, Result], this: Instruction, at: int, older: Instruction | None) -> bool:
        """Whether it executes in the early ALU."""
        form = operand2(this)
        if form in (Operand2.SHIFT_BY_CONSTANT, Operand2.SHIFT_BY_REGISTER):
            able = this.name != "rrx" and not (older and uses_early_shifter(older))
        else:
            able = older is None and this.name in ("add", "sub", "mov", "movw") and form in _UNSHIFTED
        able = able or this.name in _REVERSALS
        return able and all(results[name][Need.EARLY] <= at for name in this.reads if name in results)

    def _result(self, this: Instruction, name: str, at: int, early: bool) -> Result:
        p = self._p
        if this.access and name == this.access.base and this.access.mode is not Index.OFFSET:
            return at + 1, at + 1, at, at, at, at
        if this.is_fp:
            return self._fp_result(this, name, at)
        match this.kind:
            case Kind.LOAD if this.access and this.access.width < 4:
                return _result_from(at + p.part_load_cycles, multiplicand=1)
            case Kind.LOAD | Kind.LOAD_MULTIPLE:
                return _result_from(at + p.load_cycles, multiplicand=1)
            case Kind.MULTIPLY | Kind.LONG_MULTIPLY:
                return _result_from(at + p.multiply_cycles, multiplicand=0)
        if this.name in _REVERSALS and early:
            return at + 2, at + 1, at, at, at, at
        return (at + 1, at + 1, at, at, at, at) if early else _result_from(at + 1, multiplicand=0)

    def _fp_result(self, this: Instruction, name: str, at: int) -> Result:
        p = self._p
        accumulator = at + p.fp_accumulator_cycles
        match this.kind:
            case Kind.FP_MAC if this.name.startswith(_FUSED):
                return _fp_times(at + p.fma_cycles, accumulator, accumulator - 1, accumulator)
            case Kind.FP_MAC:
                return _fp_times(at + p.fma_cycles + 1, accumulator, accumulator, accumulator + 1)
            case Kind.LOAD | Kind.LOAD_MULTIPLE:
                return _fp_times(at + 1, accumulator, accumulator - 1, at + 1)
            case Kind.FP_MOVE if not is_fp_register(name):
                return _result_from(at + 1, multiplicand=0)
            case Kind.FP_MOVE:
                late = at + p.fp_from_core_cycles
            case Kind.FP_DIVIDE | Kind.FP_SQRT:
                late = at + self._fpu_cycles(this)
            case _:
                late = at + p.fp_cycles
        return _fp_times(late, late, late - 1, at + 1)

    def _fpu_cycles(self, this: Instruction) -> int:
        p = self._p
        match this.kind:
            case Kind.FP_DIVIDE:
                return p.fp_double_divide_cycles if this.double else p.fp_divide_cycles
            case Kind.FP_SQRT:
                return p.fp_double_divide_cycles if this.double else p.fp_sqrt_cycles
            case Kind.FP_MAC if this.double:
                return p.fp_double_mac_cycles
            case Kind.FP_ALU if this.double and this.name == "vmul":
                return p.fp_double_multiply_cycles
            case Kind.FP_ALU if this.double:
                return p.double_add_cycles
            case Kind.FP_ALU | Kind.FP_MAC:
                return 1
        return 0

    def _cycles(self, this: Instruction) -> int:
        """Cycles in which nothing else issues."""
        p = self._p
        match this.kind:
            case Kind.LOAD_MULTIPLE | Kind.STORE_MULTIPLE:
                assert this.access
                return (this.access.count + 1) // 2
            case Kind.DIVIDE:
                return p.divide_cycles
            case Kind.TABLE_BRANCH:
                return p.table_branch_cycles
            case Kind.STATUS | Kind.BARRIER | Kind.TRAP:
                return p.system_cycles
            case Kind.FP_DIVIDE | Kind.FP_SQRT:
                return self._fpu_cycles(this)
        return 1


_FUSED = ("vfma", "vfms", "vfnma", "vfnms")
_UNSHIFTED = (Operand2.PLAIN, Operand2.SIMPLE_CONSTANT, Operand2.PATTERN_CONSTANT)
_REVERSALS = frozenset({"rev", "rev16", "revsh", "rbit"})
_READ_EARLY = _REVERSALS | {"sbfx", "ubfx", "pkhtb"}
_LAST_READ_EARLY = ("bfi", "pkh", "uxta", "sxta")


def _needs(this: Instruction) -> Iterator[tuple[str, Need]]:
    """How each register is read."""
    address = this.access.registers if this.access else ()
    shifted = operand2(this) is Operand2.SHIFTED_REGISTER
    for i, name in enumerate(this.reads):
        is_last = i == len(this.reads) - 1
        if name in address or this.name in _READ_EARLY:
            yield name, Need.EARLY
        elif this.is_store:
            yield name, Need.STORE
        elif is_last and (shifted or this.name.startswith(_LAST_READ_EARLY)):
            yield name, Need.EARLY
        else:
            yield name, _arithmetic_need(this, name)


def _arithmetic_need(this: Instruction, name: str) -> Need:
    if this.kind is Kind.FP_MAC:
        fused = this.name.startswith(_FUSED)
        accumulator = Need.ACCUMULATOR if fused else Need.MLA_ACCUMULATOR
        return accumulator if name == this.writes[0] else Need.MULTIPLICAND
    if this.kind in (Kind.MULTIPLY, Kind.LONG_MULTIPLY):
        return Need.ACCUMULATOR if name in accumulators(this) else Need.MULTIPLICAND
    return Need.LATE


def _result_from(late: int, multiplicand: int) -> Result:
    return late + 1, late + multiplicand, late, late - 1, late - 2, late - 1


def _fp_times(late: int, accumulator: int, mla_accumulator: int, store: int) -> Result:
    return late, late, late, accumulator, store, mla_accumulator


def _later(state: M7State, cycles: int) -> M7State:
    """The same history seen some cycles later; what cannot matter any more is forgotten."""
    if not cycles:
        return state
    moved = ((name, _moved(times, cycles)) for name, times in state.results)
    return M7State(
        older=state.older,
        last=state.last,
        results=tuple((name, times) for name, times in moved if max(times) > -1),
        flags=max(state.flags - cycles, _LONG_AGO),
        fpu_free=max(state.fpu_free - cycles, -1),
        mac_block=max(state.mac_block - cycles, -1),
        narrow=state.narrow,
    )


@cache
def _moved(times: Result, cycles: int) -> Result:
    early, multiplicand, late, accumulator, store, mla_accumulator = (max(time - cycles, -2) for time in times)
    return early, multiplicand, late, accumulator, store, mla_accumulator
