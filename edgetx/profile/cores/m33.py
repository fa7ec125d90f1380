"""Cortex-M33: three stages, in order, with limited dual issue.

Instructions execute in one or two stages; what leaves the second one is available a cycle later, except to an
accumulator. A NOP, IT or branch of 16 bits can issue beside the 16-bit instruction before it.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto

from edgetx.profile.cores.fetch import FetchState, FetchUnit
from edgetx.profile.cores.operand2 import Operand2, accumulators, is_fp_register, operand2
from edgetx.profile.cores.timing import Cause, Cost, Timing
from edgetx.profile.instruction import Block, Instruction, Kind


@dataclass(frozen=True)
class M33Parameters:
    """Cycles by class, and what the units can do.

    Attributes:
        refill_cycles: Refill after an immediate branch.
        refill_register_cycles: Refill after BX and its kin.
        refill_load_cycles: Refill after PC was loaded.
        refill_table_cycles: Refill after TBB and TBH.
        prefetch_words: Size of the prefetch buffer.
        two_stage_cycles: Latency of multiplies, DSP, shifted operands and loads.
        flag_cycles: Latency of the flags of a shifted register operand.
        flag_issue_cycles: Issue of MULS and of flag-setting instructions with a shifted constant.
        divide_cycles: SDIV and UDIV at least; more depends on the operands.
        status_cycles: MRS and MSR.
        barrier_cycles: DMB, DSB and ISB.
        fp_cycles: Latency of floating-point arithmetic.
        fp_mac_cycles: Latency of a floating-point multiply-accumulate into another accumulator.
        fp_mac_operand_cycles: Its latency elsewhere.
        fp_mac_block_cycles: Cycles after one in which no floating-point instruction issues.
        fp_divide_cycles: VDIV and VSQRT.
        fp_to_core_cycles: Latency of a move from the floating-point registers.
    """

    refill_cycles: int
    refill_register_cycles: int
    refill_load_cycles: int
    refill_table_cycles: int
    prefetch_words: int
    two_stage_cycles: int
    flag_cycles: int
    flag_issue_cycles: int
    divide_cycles: int
    status_cycles: int
    barrier_cycles: int
    fp_cycles: int
    fp_mac_cycles: int
    fp_mac_operand_cycles: int
    fp_mac_block_cycles: int
    fp_divide_cycles: int
    fp_to_core_cycles: int


class Source(Enum):
    """Which path a result comes from; decides who can take it early."""

    FIRST_STAGE = auto()
    ACCUMULATE = auto()
    SECOND_STAGE = auto()
    LOAD = auto()
    FP_MAC = auto()


@dataclass(frozen=True)
class Result:
    """A register that is not yet available to everybody.

    Attributes:
        ready: Time from which it can be used, relative to now.
        source: Where it comes from.
    """

    ready: int
    source: Source


@dataclass(frozen=True)
class M33State:
    """History; times are relative to the end of `last`.

    Attributes:
        last: The instruction before.
        paired: Whether it was issued beside the one before it.
        started: When it started.
        results: Registers under way.
        flags_ready: When the flags are available.
        fpu_free: When the FPU takes another instruction.
        fetch: The prefetch buffer.
    """

    last: Instruction | None = None
    paired: bool = False
    started: int = -1
    results: tuple[tuple[str, Result], ...] = ()
    flags_ready: int = 0
    fpu_free: int = 0
    fetch: FetchState | None = None


class M33Model:
    """Timing of Cortex-M33."""

    def __init__(self, parameters: M33Parameters) -> None:
        self._p = parameters

    def reset(self) -> Hashable:
        """History of a core that has just started."""
        return M33State()

    def time(self, state: Hashable, block: Block) -> Timing:
        """Time a block that follows a history."""
        assert isinstance(state, M33State)
        fetch = FetchUnit(self._p.prefetch_words, restart_cycles=0)
        taken = self._enter(state, block.address, fetch)
        costs: list[Cost] = []
        now = 0
        for i, instruction in enumerate(block.instructions):
            cost, state = self._step(state, instruction, fetch, now, taken and i == 0)
            now += cost.total
            costs.append(cost)
        entry = Cost(0)
        if taken:
            costs[0], entry = _split_refill(costs[0])
        return Timing(entry, tuple(costs), replace(state, fetch=fetch.save(now)), tuple(fetch.fetches))

    def _enter(self, state: M33State, address: int, fetch: FetchUnit) -> bool:
        """Bring the fetch unit to a block; whether a taken branch led there."""
        last = state.last
        if last is None or state.fetch is None:
            fetch.redirect(address, -3)
            return False
        conditional = last.condition != "al" or last.kind is Kind.COMPARE_BRANCH
        if address == last.end and (conditional or not last.changes_flow):
            fetch.restore(state.fetch)
            return False
        undo = 1 if state.paired and self._sets_flags_before(state) else 0
        fetch.redirect(address, self._refill(last) + undo - 3)
        return True

    def _sets_flags_before(self, state: M33State) -> bool:
        return state.last is not None and state.last.condition != "al" and state.flags_ready > 0

    def _refill(self, last: Instruction) -> int:
        if last.kind in (Kind.LOAD, Kind.LOAD_MULTIPLE):
            return self._p.refill_load_cycles
        if last.kind is Kind.TABLE_BRANCH:
            return self._p.refill_table_cycles
        return self._p.refill_cycles if last.target is not None else self._p.refill_register_cycles

    def _step(
        self, state: M33State, this: Instruction, fetch: FetchUnit, now: int, behind_branch: bool
    ) -> tuple[Cost, M33State]:
        decoded = fetch.decode(this, now + state.started - 1)
        fetched = decoded + 1 <= now + state.started
        if not behind_branch and fetched and self._pairs(state, this):
            return Cost(0), replace(state, last=this, paired=True, fetch=None)
        operands = self._operand_wait(state, this)
        waits = [
            (Cause.DEPENDENCE, operands),
            (Cause.FP, max(self._fp_wait(state, this) - operands, 0)),
        ]
        waited = sum(cycles for _, cycles in waits)
        waits.append((Cause.FETCH, max(max(decoded, now + state.started) + 1 - now - waited, 0)))
        stalls = tuple(wait for wait in waits if wait[1])
        cost = Cost(self._cycles(this), stalls)
        return cost, self._after(state, this, cost.total)

    def _pairs(self, state: M33State, this: Instruction) -> bool:
        last = state.last
        if last is None or last.wide or this.wide or state.paired or last.changes_flow or last.end != this.address:
            return False
        return this.kind in (Kind.NOP, Kind.IT) or (this.kind is Kind.BRANCH)

    def _after(self, state: M33State, this: Instruction, elapsed: int) -> M33State:
        kept = {name: replace(r, ready=r.ready - elapsed) for name, r in state.results if r.ready > elapsed}
        for name in this.writes:
            kept.pop(name, None)
        kept |= self._results(this)
        flags = self._flags_latency(this) if this.sets_flags else max(state.flags_ready - elapsed, 0)
        busy = self._fpu_block(this) if this.is_fp else max(state.fpu_free - elapsed, 0)
        return M33State(this, False, -self._cycles(this), tuple(sorted(kept.items(), key=_by_name)), flags, busy)

    def _results(self, this: Instruction) -> Mapping[str, Result]:
        source = _source(this)
        latency = self._latency(this, source)
        written = [name for name in this.writes if not (this.access and name == this.access.base)]
        return {name: Result(latency - 1, source) for name in written if latency > 1}

    def _latency(self, this: Instruction, source: Source) -> int:
        p = self._p
        match this.kind:
            case Kind.FP_MAC:
                return p.fp_mac_cycles
            case Kind.FP_ALU:
                return p.fp_cycles
            case Kind.FP_MOVE if this.reads:
                return p.fp_to_core_cycles if is_fp_register(this.reads[0]) or len(this.reads) == 2 else 1
            case Kind.LOAD if this.is_fp:
                return 1
            case Kind.LOAD_MULTIPLE:
                return 1
        return 1 if source is Source.FIRST_STAGE else p.two_stage_cycles

    def _flags_latency(self, this: Instruction) -> int:
        """One more than zero, so that a branch directly behind knows that the flags are fresh."""
        return self._p.flag_cycles if operand2(this) is Operand2.SHIFTED_REGISTER else 1

    def _operand_wait(self, state: M33State, this: Instruction) -> int:
        results = dict(state.results)
        waits = [self._wait_for(results[name], this, name) for name in this.reads if name in results]
        if this.reads_flags and this.kind is not Kind.IT:
            waits.append(state.flags_ready - 1)
        return max([0, *waits])

    def _wait_for(self, result: Result, this: Instruction, name: str) -> int:
        if this.kind is Kind.STORE and this.access and name not in this.access.registers:
            return result.ready - 1
        if name in _added_to(this) and _forwards(result.source, this):
            return result.ready - 1
        if result.source is Source.FP_MAC and not (this.kind is Kind.FP_MAC and name == this.writes[0]):
            return result.ready + self._p.fp_mac_operand_cycles - self._p.fp_mac_cycles
        return result.ready

    def _fp_wait(self, state: M33State, this: Instruction) -> int:
        return state.fpu_free if this.is_fp else 0

    def _fpu_block(self, this: Instruction) -> int:
        return self._p.fp_mac_block_cycles if this.kind is Kind.FP_MAC else 0

    def _cycles(self, this: Instruction) -> int:
        p = self._p
        match this.kind:
            case Kind.MULTIPLY if this.sets_flags or not this.wide:
                return p.flag_issue_cycles
            case Kind.ALU if this.sets_flags and this.name != "mov" and this.writes and _shifts_constant(this):
                return p.flag_issue_cycles
            case Kind.LOAD_MULTIPLE | Kind.STORE_MULTIPLE:
                assert this.access
                return this.access.count
            case Kind.LOAD | Kind.STORE if this.access and this.access.width == 8:
                return 2
            case Kind.DIVIDE:
                return p.divide_cycles
            case Kind.STATUS if this.name in ("mrs", "msr"):
                return p.status_cycles
            case Kind.BARRIER:
                return p.barrier_cycles
            case Kind.TABLE_BRANCH:
                return 2
            case Kind.FP_DIVIDE | Kind.FP_SQRT:
                return p.fp_divide_cycles
            case Kind.FP_MOVE if len(this.writes) == 2 and this.writes[0][0] == "r":
                return 2
        return 1


def _by_name(item: tuple[str, Result]) -> str:
    return item[0]


def _source(this: Instruction) -> Source:
    if this.kind is Kind.LOAD:
        return Source.LOAD
    if this.kind in (Kind.MULTIPLY, Kind.LONG_MULTIPLY) or _extends_and_adds(this):
        return Source.ACCUMULATE
    if this.kind is Kind.FP_MAC:
        return Source.FP_MAC
    if this.kind is Kind.ALU and operand2(this) in (Operand2.SHIFTED_CONSTANT, Operand2.SHIFTED_REGISTER):
        return Source.ACCUMULATE
    return Source.SECOND_STAGE if _is_dsp(this) else Source.FIRST_STAGE


def _shifts_constant(this: Instruction) -> bool:
    return operand2(this) is Operand2.SHIFTED_CONSTANT


def _added_to(this: Instruction) -> tuple[str, ...]:
    """The registers an instruction adds to in its second stage."""
    return this.reads[:1] if _extends_and_adds(this) else accumulators(this)


def _forwards(source: Source, this: Instruction) -> bool:
    """Whether an accumulator can take a result of that kind a cycle early."""
    if source is Source.LOAD:
        return this.kind in (Kind.MULTIPLY, Kind.LONG_MULTIPLY)
    return source is Source.ACCUMULATE


def _extends_and_adds(this: Instruction) -> bool:
    return this.name[1:4] == "xta"


_DSP_PREFIXES = ("qadd", "qsub", "qdadd", "qdsub", "qasx", "qsax", "pkh", "sel", "usad", "ssat", "usat")
_DSP_SUFFIXES = ("add8", "add16", "sub8", "sub16", "asx", "sax")


def _is_dsp(this: Instruction) -> bool:
    return this.name.startswith(_DSP_PREFIXES) or this.name.endswith(_DSP_SUFFIXES)


def _split_refill(first: Cost) -> tuple[Cost, Cost]:
    """Take the refill out of the first instruction behind a branch: it belongs to the branch."""
    refill = sum(cycles for cause, cycles in first.stalls if cause is Cause.FETCH)
    rest = tuple(stall for stall in first.stalls if stall[0] is not Cause.FETCH)
    return Cost(first.cycles, rest), Cost(0, ((Cause.BRANCH, refill),) if refill else ())
