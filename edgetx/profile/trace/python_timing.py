"""The Python twin of `native/timing.c` and `native/slice.c`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from edgetx.profile.trace.costs import Costs
from edgetx.profile.trace.events import Event, EventFlag, EventKind, StallKind
from edgetx.profile.trace.python_memory import Memory, RegionState
from edgetx.profile.trace.slices import Operation, Step

WORD = 0xFFFF_FFFF
MAX_STORE_ENTRIES = 8
Stalls = list[int]


@dataclass
class History:
    """What the accesses before leave behind."""

    last_bank: int = 0
    last_address: int = 0
    stores: int = 0
    bank_free: list[int] = field(default_factory=lambda: [0, 0])
    released: list[int] = field(default_factory=lambda: [0] * MAX_STORE_ENTRIES)


def evaluate(
    steps: Sequence[Step], read_register: Callable[[int], int], read_memory: Callable[[int, int], int]
) -> list[int]:
    """Values of all steps."""
    values: list[int] = []
    for step in steps:
        a = values[step.a] if step.a >= 0 else 0
        b = values[step.b] if step.b >= 0 else 0
        values.append(_value(step, a, b, read_register, read_memory) & WORD)
    return values


def stall(
    costs: Costs, memory: Memory, history: History, event: Event, values: Sequence[int], time: int, stalls: Stalls
) -> int:
    """Add the stall of one event, by kind; returns it too."""
    before = sum(stalls)
    if event.kind is EventKind.FETCH:
        stalls[StallKind.FETCH] += max(memory.fetch(event.a, time) - event.b, 0)
    elif event.kind is EventKind.DIVIDE:
        stalls[StallKind.DIVIDE] += divide_cycles(costs, values[event.a], values[event.b], bool(event.width))
    else:
        address = (values[event.a] if event.a >= 0 else 0) + event.b & WORD
        _access(costs, memory, history, event, address, time, stalls)
    return sum(stalls) - before


def divide_cycles(costs: Costs, a: int, b: int, is_signed: bool) -> int:
    """Cycles of a division beyond the shortest one."""
    dividend, divisor = (abs(_signed(x)) if is_signed else x for x in (a, b))
    if not dividend or not divisor:
        return 0
    difference = dividend.bit_length() - divisor.bit_length()
    if difference < 0:
        return costs.divide_small
    return min(costs.divide_base + difference // costs.divide_bits, costs.divide_most)


def _access(
    costs: Costs, memory: Memory, history: History, event: Event, address: int, time: int, stalls: Stalls
) -> None:
    state = memory.find(address)
    bank = state.region.bank if state else 0
    if event.flags & EventFlag.CHAINED and bank != history.last_bank:
        stalls[StallKind.SWITCH] += costs.switch_cycles
    apart = (address ^ history.last_address) & costs.bank_bit
    collides = event.flags & EventFlag.PAIRED and costs.bank_bit and not apart
    history.last_bank, history.last_address = bank, address
    if state is None:
        return
    _count_traffic(state, event)
    if collides:
        stalls[StallKind.CONFLICT] += costs.conflict_cycles
    if event.kind is EventKind.STORE:
        stalls[StallKind.DATA] += _buffer_store(costs, history, address, event.width, time)
    else:
        stalls[StallKind.DATA] += costs.unaligned_cycles * min(
            _extra_transfers(address, event.width), costs.unaligned_transfers
        )
    stalled = 0
    for i in range(event.count):
        if event.kind is EventKind.STORE:
            memory.store(address + i * event.width)
        else:
            stalled += memory.load(address + i * event.width, time + stalled)
    stalls[StallKind.DATA] += stalled


def _count_traffic(state: RegionState, event: Event) -> None:
    if event.kind is EventKind.LOAD:
        state.read_bytes += event.width * event.count
    else:
        state.written_bytes += event.width * event.count


def _extra_transfers(address: int, width: int) -> int:
    if width == 2:
        return address & 1
    if width == 4:
        return 2 if address & 1 else (address & 2) >> 1
    return 0


def _buffer_store(costs: Costs, history: History, address: int, width: int, time: int) -> int:
    if not costs.store_entries:
        return 0
    straddles = _extra_transfers(address, width) > 0
    if straddles:
        service = costs.store_unaligned_cycles
    else:
        service = costs.store_part_cycles if width < 4 else costs.store_word_cycles
    bank = int(address & costs.bank_bit != 0)
    banks = (0, 1) if straddles else (bank,)
    entry, before = (n % costs.store_entries for n in (history.stores, history.stores - 1))
    entered = max(time, history.released[entry])
    written = max([entered, *(history.bank_free[i] for i in banks)]) + service
    for i in banks:
        history.bank_free[i] = written
    history.released[entry] = max(written, history.released[before])
    history.stores += 1
    return entered - time


def _signed(value: int, width: int = 32) -> int:
    return (value & ((1 << width) - 1)) - ((value >> (width - 1) & 1) << width)


_LOADS = {
    Operation.LOAD8: (1, False), Operation.LOAD16: (2, False), Operation.LOAD32: (4, False),
    Operation.LOADS8: (1, True), Operation.LOADS16: (2, True),
}  # fmt: skip


def _value(
    step: Step, a: int, b: int, read_register: Callable[[int], int], read_memory: Callable[[int, int], int]
) -> int:
    n = step.immediate
    match step.operation:
        case Operation.REGISTER:
            return read_register(n)
        case Operation.CONSTANT:
            return n
        case Operation.ADD:
            return a + (b << n)
        case Operation.SUB:
            return a - (b << n)
        case Operation.AND:
            return a & b
        case Operation.OR:
            return a | b
        case Operation.XOR:
            return a ^ b
        case Operation.MULTIPLY:
            return a * b
        case Operation.SHIFT_LEFT:
            return a << (b & 0xFF)
        case Operation.SHIFT_RIGHT:
            return a >> (b & 0xFF)
        case Operation.SHIFT_ARITHMETIC:
            return _signed(a) >> (b & 0xFF)
        case Operation.DIVIDE_SIGNED:
            return _divide(_signed(a), _signed(b))
        case Operation.DIVIDE_UNSIGNED:
            return _divide(a, b)
        case Operation.BITS:
            return a & ((1 << n) - 1)
        case Operation.SIGNED_BITS:
            return _signed(a, n)
    size, is_signed = _LOADS[step.operation]
    value = read_memory(a, size)
    return _signed(value, 8 * size) if is_signed else value


def _divide(a: int, b: int) -> int:
    if not b:
        return 0
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
