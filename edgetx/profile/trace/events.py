"""What within a block costs cycles that are known only when it happens."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import IntEnum, IntFlag

from edgetx.profile.cores.timing import Timing
from edgetx.profile.instruction import Block, Instruction, Kind
from edgetx.profile.trace.slices import Operation, Slice, Step


class EventKind(IntEnum):
    """Kinds of events; the order is that of `native/timing.h`."""

    FETCH = 0
    LOAD = 1
    STORE = 2
    DIVIDE = 3


class EventFlag(IntFlag):
    """How an access relates to the one before; APART if it cannot be counted apart from its block more than it is."""

    CHAINED = 1
    PAIRED = 2
    APART = 4


NO_FLAGS = EventFlag(0)


class StallKind(IntEnum):
    """What the cycles of an event were lost to."""

    FETCH = 0
    DATA = 1
    SWITCH = 2
    CONFLICT = 3
    DIVIDE = 4
    BRANCH = 5


@dataclass(frozen=True)
class Event:
    """Something that happens `offset` cycles behind the entry of a block.

    A FETCH is at address `a`, and `b` cycles of it are hidden. The value `a` (nothing if it is -1) plus `b` is the
    address of the `count` accesses of `width` bytes of a LOAD or STORE. A DIVIDE has the values `a` and `b`, and
    `width` is 1 if they are signed. `where` is the address of the instruction.
    """

    kind: EventKind
    offset: int
    a: int
    b: int = 0
    flags: EventFlag = NO_FLAGS
    width: int = 0
    count: int = 0
    where: int = 0


def make_events(
    block: Block, timing: Timing, register_id: Callable[[str], int], fetch_line: Callable[[int], int]
) -> tuple[list[Event], list[Step]]:
    """Events of a block as timed, and the values they need.

    Args:
        block: The block.
        timing: How it was timed.
        register_id: The emulator's number of a register.
        fetch_line: Bytes at an address that arrive together when they have to be waited for; 0: never a wait.
    """
    values = Slice(register_id)
    events = list(_fetch_events(timing, fetch_line))
    for instruction, offset, flags in _timed(block, timing):
        events += _data_events(instruction, offset, flags, values)
        values.execute(instruction)
    return _prune(sorted(events, key=lambda event: event.offset), values.steps)


def _prune(events: list[Event], steps: list[Step]) -> tuple[list[Event], list[Step]]:
    """Leave out values that no event needs; registers come first, which the engine relies on."""
    needed = {value for event in events for value in _values(event)}
    for i in reversed(range(len(steps))):
        if i in needed:
            needed |= {steps[i].a, steps[i].b}
    kept = sorted(needed - {-1}, key=lambda i: (steps[i].operation is not Operation.REGISTER, i))
    if kept == list(range(len(steps))):
        return events, steps
    number = {-1: -1} | {old: new for new, old in enumerate(kept)}
    renumbered = [replace(steps[i], a=number[steps[i].a], b=number[steps[i].b]) for i in kept]
    return [_renumber(event, number) for event in events], renumbered


def _values(event: Event) -> tuple[int, ...]:
    match event.kind:
        case EventKind.FETCH:
            return ()
        case EventKind.DIVIDE:
            return event.a, event.b
        case _:
            return (event.a,)


def _renumber(event: Event, number: dict[int, int]) -> Event:
    match event.kind:
        case EventKind.FETCH:
            return event
        case EventKind.DIVIDE:
            return replace(event, a=number[event.a], b=number[event.b])
        case _:
            return replace(event, a=number[event.a])


def _fetch_events(timing: Timing, fetch_line: Callable[[int], int]) -> Iterator[Event]:
    """Only the first word of a line can be late."""
    before = None
    for fetch in timing.fetches:
        size = fetch_line(fetch.address)
        if size and fetch.address // size != before:
            before = fetch.address // size
            yield Event(EventKind.FETCH, fetch.offset, fetch.address, fetch.hidden)


def _timed(block: Block, timing: Timing) -> Iterator[tuple[Instruction, int, EventFlag]]:
    now = timing.entry.total
    for i, (instruction, cost) in enumerate(zip(block.instructions, timing.costs, strict=True)):
        stalled = cost.total - cost.cycles
        flags = EventFlag.CHAINED if i in timing.chained else NO_FLAGS
        flags |= EventFlag.PAIRED if i in timing.paired else NO_FLAGS
        flags |= EventFlag.APART if block.is_alone(instruction) else NO_FLAGS
        yield instruction, now + stalled, flags
        now += cost.total


def _data_events(this: Instruction, offset: int, flags: EventFlag, values: Slice) -> Iterator[Event]:
    if this.kind is Kind.DIVIDE:
        operands = [values.register(name) for name in (this.reads[0], this.reads[-1])]
        a, b = (values.exact(operand) if operand else None for operand in operands)
        if a is not None and b is not None:
            yield Event(EventKind.DIVIDE, offset, a, b, width=int(this.name == "sdiv"))
    elif this.access and this.kind is not Kind.PRELOAD:
        address = values.address(this)
        if address is not None:
            kind = EventKind.STORE if this.is_store else EventKind.LOAD
            constant = address.constant & 0xFFFF_FFFF
            yield Event(kind, offset, address.step, constant, flags, this.access.width, this.access.count, this.address)
