"""Cortex-M3 and M4: three stages, a prefetch buffer, and loads and stores that overlap their neighbours.

The units are those of the technical reference manual: the fetch unit runs a few words ahead of decode, the memory
pipeline separates the address phase of an access from its data phase, the FPU works beside the integer pipeline.
"""

from collections.abc import Hashable
from dataclasses import dataclass, replace

from edgetx.profile.cores.fetch import FetchState, FetchUnit
from edgetx.profile.cores.timing import Cause, Cost, Timing
from edgetx.profile.instruction import Access, Block, Index, Instruction, Kind


@dataclass(frozen=True)
class M4Parameters:
    """Cycles by class, and what the units can do.

    Attributes:
        refill_cycles: Refill after a branch whose target is fetched while it is decoded (immediate branches).
        refill_register_cycles: Refill after a branch whose target is known in execute (BX, MOV PC).
        refill_load_cycles: Refill after PC was loaded (POP, LDR PC).
        refill_table_cycles: Refill after TBB and TBH.
        prefetch_words: Size of the prefetch buffer.
        prefetch_restart_cycles: Delay of a fetch that had to wait for room in the buffer.
        folds_it: Whether IT behind a 16-bit instruction costs nothing.
        chains_indexed: Whether pre- and post-indexed accesses overlap the access before.
        accumulate_cycles: MLA and MLS.
        long_multiply_cycles: UMULL and SMULL.
        long_accumulate_cycles: UMLAL and SMLAL.
        divide_cycles: SDIV and UDIV at least; more depends on the operands.
        status_cycles: MRS and MSR.
        barrier_cycles: DMB and DSB.
        fp_mac_cycles: VMLA, VFMA and their kin.
        fp_divide_cycles: VDIV and VSQRT.
        fp_result_cycles: Delay of a result that the next FP operation needs.
    """

    refill_cycles: int
    refill_register_cycles: int
    refill_load_cycles: int
    refill_table_cycles: int
    prefetch_words: int
    prefetch_restart_cycles: int
    folds_it: bool
    chains_indexed: bool
    accumulate_cycles: int
    long_multiply_cycles: int
    long_accumulate_cycles: int
    divide_cycles: int
    status_cycles: int
    barrier_cycles: int
    fp_mac_cycles: int = 0
    fp_divide_cycles: int = 0
    fp_result_cycles: int = 0


@dataclass(frozen=True)
class M4State:
    """What an instruction has to know of those before it; times are relative to the end of `last`.

    Attributes:
        last: The instruction before.
        started: When `last` started.
        fetch: The prefetch buffer.
        fpu_free: When the FPU takes another instruction.
        fp_results: Registers that `last` computed in the FPU.
    """

    last: Instruction | None = None
    started: int = -1
    fetch: FetchState | None = None
    fpu_free: int = 0
    fp_results: tuple[str, ...] = ()


class MemoryPipeline:
    """Overlap of address and data phases of neighbouring loads and stores."""

    def __init__(self, chains_indexed: bool) -> None:
        self._chains_indexed = chains_indexed

    def wait(self, last: Instruction, this: Instruction) -> int:
        """Cycles that `this` waits for the data phase of `last`."""
        if last.kind is Kind.LOAD and not _is_double(last):
            return 0 if this.kind is Kind.NOP or self._behind_load(last, this) else 1
        if last.kind is Kind.STORE and not _is_double(last):
            return self._behind_store(last, this)
        return 0

    def chains(self, last: Instruction, this: Instruction) -> bool:
        """Whether the address phase of `this` overlaps the data phase of `last`."""
        return last.kind is Kind.LOAD and not _is_double(last) and self._behind_load(last, this)

    def address_wait(self, last: Instruction, this: Instruction) -> int:
        """Cycles that `this` waits for an address register: data processing does not forward to the address stage."""
        if this.access is None or last.access is not None or last.is_fp:
            return 0
        return 1 if set(last.writes) & set(this.access.registers) else 0

    def _behind_load(self, last: Instruction, this: Instruction) -> bool:
        if this.kind not in (Kind.LOAD, Kind.STORE) or not last.access or not this.access or _is_double(this):
            return False
        if set(last.writes) & set(this.access.registers):
            return False
        if last.access.is_literal != this.access.is_literal:
            return False
        if this.kind is Kind.LOAD and this.unaligned_wide:
            return False
        return self._chains_indexed or this.access.mode is Index.OFFSET

    def _behind_store(self, last: Instruction, this: Instruction) -> int:
        assert last.access
        if last.access.index:
            return 0 if this.kind is Kind.NOP else 1
        if this.kind in (Kind.LOAD, Kind.LOAD_MULTIPLE):
            return 1
        if this.kind is Kind.STORE and this.access:
            return 1 if _same_indexed_base(last.access, this.access) else 0
        return 0


class M4Model:
    """Timing of Cortex-M3, M4 and M4F."""

    def __init__(self, parameters: M4Parameters) -> None:
        self._p = parameters
        self._memory = MemoryPipeline(parameters.chains_indexed)

    def reset(self) -> Hashable:
        """History of a core that has just started."""
        return M4State()

    def time(self, state: Hashable, block: Block) -> Timing:
        """Time a block that follows a history."""
        assert isinstance(state, M4State)
        fetch = FetchUnit(self._p.prefetch_words, self._p.prefetch_restart_cycles)
        taken = self._enter(state, block.address, fetch)
        costs: list[Cost] = []
        chained = set()
        now = 0
        for i, instruction in enumerate(block.instructions):
            if state.last and self._memory.chains(state.last, instruction):
                chained.add(i)
            cost, state = self._step(state, instruction, fetch, now)
            now += cost.total
            costs.append(cost)
        entry = Cost(0)
        if taken:
            costs[0], entry = _split_refill(costs[0])
        end = replace(state, fetch=fetch.save(now))
        return Timing(entry, tuple(costs), end, tuple(fetch.fetches), frozenset(chained))

    def _enter(self, state: M4State, address: int, fetch: FetchUnit) -> bool:
        """Bring the fetch unit to a block; whether a taken branch led there."""
        last = state.last
        if last is None or state.fetch is None:
            fetch.redirect(address, -3)
            return False
        if address == last.end and not _always_taken(last):
            fetch.restore(state.fetch)
            return False
        fetch.redirect(address, self._refill(last) - 3)
        return True

    def _refill(self, last: Instruction) -> int:
        if last.kind in (Kind.LOAD, Kind.LOAD_MULTIPLE):
            return self._p.refill_load_cycles
        if last.kind is Kind.TABLE_BRANCH:
            return self._p.refill_table_cycles
        return self._p.refill_cycles if last.target is not None else self._p.refill_register_cycles

    def _step(self, state: M4State, this: Instruction, fetch: FetchUnit, now: int) -> tuple[Cost, M4State]:
        decoded = fetch.decode(this, now + state.started)
        if self._folds(state.last, this):
            return Cost(0), M4State(state.last, state.started, None, state.fpu_free, state.fp_results)
        stalls = self._stalls(state, this, max(decoded + 1 - now, 0))
        cycles = self._cycles(this)
        wait = sum(stall for _, stall in stalls)
        elapsed = cycles + wait
        busy = self._fpu_cycles(this) + wait if this.is_fp else state.fpu_free
        results = this.writes if _computes(this) else ()
        return Cost(cycles, stalls), M4State(this, -cycles, None, max(busy - elapsed, 0), results)

    def _stalls(self, state: M4State, this: Instruction, fetched: int) -> tuple[tuple[Cause, int], ...]:
        waits = []
        if state.last:
            waits = [
                (Cause.MEMORY, self._memory.wait(state.last, this)),
                (Cause.DEPENDENCE, self._memory.address_wait(state.last, this)),
                (Cause.FP, self._fp_wait(state, this)),
            ]
        waits.append((Cause.FETCH, max(fetched - sum(cycles for _, cycles in waits), 0)))
        return tuple((cause, cycles) for cause, cycles in waits if cycles)

    def _fp_wait(self, state: M4State, this: Instruction) -> int:
        if not this.is_fp:
            return 0
        needs = _computes(this) and bool(set(state.fp_results) & set(this.reads))
        return max(state.fpu_free, self._p.fp_result_cycles if needs else 0)

    def _folds(self, last: Instruction | None, this: Instruction) -> bool:
        return (
            this.kind is Kind.IT
            and self._p.folds_it
            and last is not None
            and last.end == this.address
            and not last.wide
        )

    def _fpu_cycles(self, this: Instruction) -> int:
        return self._p.fp_divide_cycles if this.kind in (Kind.FP_DIVIDE, Kind.FP_SQRT) else self._cycles(this)

    def _cycles(self, this: Instruction) -> int:
        p = self._p
        match this.kind:
            case Kind.MULTIPLY if this.name in ("mla", "mls"):
                return p.accumulate_cycles
            case Kind.LONG_MULTIPLY if this.name in ("umull", "smull"):
                return p.long_multiply_cycles
            case Kind.LONG_MULTIPLY:
                return p.long_accumulate_cycles
            case Kind.DIVIDE:
                return p.divide_cycles
            case Kind.LOAD | Kind.STORE if _is_double(this):
                return 3
            case Kind.LOAD if "pc" in this.writes:
                return 2
            case Kind.LOAD_MULTIPLE | Kind.STORE_MULTIPLE:
                assert this.access
                return 1 + this.access.count
            case Kind.TABLE_BRANCH:
                return 2
            case Kind.STATUS if this.name in ("mrs", "msr"):
                return p.status_cycles
            case Kind.BARRIER:
                return p.barrier_cycles
            case Kind.FP_MAC:
                return p.fp_mac_cycles
            case Kind.FP_MOVE if _moves_pair(this):
                return 2
            case _:
                return 1


def _split_refill(first: Cost) -> tuple[Cost, Cost]:
    """Take the refill out of the first instruction behind a branch: it belongs to the branch."""
    refill = sum(cycles for cause, cycles in first.stalls if cause is Cause.FETCH)
    rest = tuple(stall for stall in first.stalls if stall[0] is not Cause.FETCH)
    return Cost(first.cycles, rest), Cost(0, ((Cause.BRANCH, refill),) if refill else ())


def _always_taken(last: Instruction) -> bool:
    conditional = last.condition != "al" or last.kind is Kind.COMPARE_BRANCH
    return last.changes_flow and not conditional


def _is_double(this: Instruction) -> bool:
    return this.access is not None and this.access.width == 8


def _moves_pair(this: Instruction) -> bool:
    core = [register for register in (*this.reads, *this.writes) if register[0] != "s" or register == "sp"]
    return len(core) == 2


def _computes(this: Instruction) -> bool:
    return this.kind in (Kind.FP_ALU, Kind.FP_MAC, Kind.FP_DIVIDE, Kind.FP_SQRT)


def _same_indexed_base(last: Access, this: Access) -> bool:
    return last.base == this.base and last.mode is not Index.OFFSET and this.mode is not Index.OFFSET
