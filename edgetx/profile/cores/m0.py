"""Cortex-M0 and M0+: one instruction after the other, each with a fixed number of cycles."""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass

from edgetx.profile.cores.timing import Cause, Cost, Fetch, Timing
from edgetx.profile.instruction import Block, Instruction, Kind


@dataclass(frozen=True)
class M0Parameters:
    """Cycles by class; names as in the core's technical reference manual.

    Attributes:
        alu_cycles: Data processing, and a branch that is not taken.
        multiply_cycles: MULS: 1 or 32, an option of the chip.
        memory_cycles: One load or store.
        multiple_base_cycles: LDM, STM, PUSH and POP take this plus one per register.
        branch_cycles: A taken branch, BX and BLX.
        call_cycles: BL.
        write_pc_cycles: MOV PC and ADD PC.
        pop_pc_cycles: What PC in a POP adds.
        status_cycles: MRS and MSR.
        barrier_cycles: DMB, DSB and ISB.
        wait_cycles: WFI and WFE, without the wait.
    """

    alu_cycles: int
    multiply_cycles: int
    memory_cycles: int
    multiple_base_cycles: int
    branch_cycles: int
    call_cycles: int
    write_pc_cycles: int
    pop_pc_cycles: int
    status_cycles: int
    barrier_cycles: int
    wait_cycles: int


@dataclass(frozen=True)
class _State:
    """The last instruction, whose branch cost is known only when its successor is."""

    last: Instruction | None = None


class M0Model:
    """Timing of Cortex-M0 and Cortex-M0+."""

    def __init__(self, parameters: M0Parameters) -> None:
        self._p = parameters

    def reset(self) -> Hashable:
        """History of a core that has just started."""
        return _State()

    def time(self, state: Hashable, block: Block) -> Timing:
        """Time a block that follows a history."""
        assert isinstance(state, _State)
        costs = tuple(Cost(self._cycles(instruction)) for instruction in block.instructions)
        entry = self._branch(state.last, block.address)
        last = block.last if block.last.changes_flow else None
        return Timing(entry, costs, _State(last), tuple(_fetches(block, entry, costs)))

    def _branch(self, last: Instruction | None, target: int) -> Cost:
        if last is None or (target == last.end and not last.is_call and "pc" not in last.writes):
            return Cost(0)
        return Cost(0, ((Cause.BRANCH, self._taken_cycles(last) - self._cycles(last)),))

    def _taken_cycles(self, last: Instruction) -> int:
        p = self._p
        if last.kind is Kind.CALL:
            return p.call_cycles
        if last.kind is Kind.LOAD_MULTIPLE:
            return self._cycles(last) + p.pop_pc_cycles
        return p.write_pc_cycles if last.kind is Kind.ALU else p.branch_cycles

    def _cycles(self, instruction: Instruction) -> int:
        p = self._p
        match instruction.kind:
            case Kind.MULTIPLY:
                return p.multiply_cycles
            case Kind.LOAD | Kind.STORE:
                return p.memory_cycles
            case Kind.LOAD_MULTIPLE | Kind.STORE_MULTIPLE:
                assert instruction.access
                return p.multiple_base_cycles + instruction.access.count
            case Kind.STATUS if instruction.name in ("mrs", "msr"):
                return p.status_cycles
            case Kind.BARRIER:
                return p.barrier_cycles
            case Kind.WAIT:
                return p.wait_cycles
            case _:
                return p.alu_cycles


def _fetches(block: Block, entry: Cost, costs: tuple[Cost, ...]) -> Iterator[Fetch]:
    """A word is requested while the instruction before its first one executes."""
    word, before, now = -1, 1, entry.total
    for instruction, cost in zip(block.instructions, costs, strict=True):
        for address in range(instruction.address & ~3, instruction.end, 4):
            if address != word:
                yield Fetch(address, now - before, before - 1)
                word = address
        now += cost.total
        before = cost.total
