"""Exceptions: which are pending, which is active, and who may preempt whom.

Numbers are exception numbers: 11 is SVC, 14 PendSV, 15 SysTick, 16 and above the interrupts of the chip.
A lower priority value is more urgent.
"""

from dataclasses import dataclass, field

HARD_FAULT, SVC, PEND_SV, SYS_TICK, FIRST_INTERRUPT = 3, 11, 14, 15, 16
THREAD_PRIORITY = 0x100
_FIXED_PRIORITY = {1: -3, 2: -2, HARD_FAULT: -1}


@dataclass
class Masks:
    """Registers by which software raises its own priority."""

    primask: int = 0
    faultmask: int = 0
    basepri: int = 0

    @property
    def priority(self) -> int:
        """The priority they stand for."""
        if self.faultmask:
            return -1
        if self.primask:
            return 0
        return self.basepri or THREAD_PRIORITY


@dataclass
class Nvic:
    """The nested vectored interrupt controller.

    Attributes:
        enabled: Interrupts (16 and above) that are enabled.
        pending: Exceptions that wait.
        active: Exceptions being handled, outermost first.
        priorities: Priority byte of each exception.
        priority_mask: Bits that the chip keeps of one.
        group_bits: Bits of a priority that decide on preemption (from AIRCR.PRIGROUP).
    """

    enabled: set[int] = field(default_factory=set)
    pending: set[int] = field(default_factory=set)
    active: list[int] = field(default_factory=list)
    priorities: dict[int, int] = field(default_factory=dict)
    group_mask: int = 0xFE
    priority_mask: int = 0xFF

    def priority(self, number: int) -> int:
        """Priority of an exception."""
        return _FIXED_PRIORITY.get(number, self.priorities.get(number, 0))

    def running_priority(self, masks: Masks) -> int:
        """Priority of what runs now: of the most urgent active exception, or of the masks."""
        groups = [self._group(number) for number in self.active]
        return min([masks.priority, *groups])

    def take(self, masks: Masks) -> int | None:
        """The exception to enter now, if there is one; it becomes active."""
        number = self.next(masks)
        if number is not None:
            self.pending.discard(number)
            self.active.append(number)
        return number

    def next(self, masks: Masks) -> int | None:
        """The pending exception that would be entered now."""
        number = self.most_urgent()
        if number is None or self._group(number) >= self.running_priority(masks):
            return None
        return number

    def most_urgent(self) -> int | None:
        """The most urgent exception that is pending and enabled, whatever the masks are."""
        ready = [n for n in self.pending if n < FIRST_INTERRUPT or n in self.enabled]
        return min(ready, key=lambda n: (self.priority(n), n), default=None)

    def end(self, number: int) -> None:
        """An exception handler has returned."""
        if number in self.active:
            self.active.remove(number)

    def _group(self, number: int) -> int:
        priority = self.priority(number)
        return priority if priority < 0 else priority & self.group_mask
