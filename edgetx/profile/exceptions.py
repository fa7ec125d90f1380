"""Exception entry and return: what is stacked, where execution goes on, and what it costs."""

from dataclasses import dataclass

from edgetx.profile.emulator import Emulator

FRAME_WORDS, FP_WORDS = 8, 18
_FRAME = ("r0", "r1", "r2", "r3", "r12", "lr")
_THREAD, _PSP, _NO_FP = 8, 4, 0x10
_FPCA, _SPSEL = 4, 2


@dataclass(frozen=True)
class ExceptionParameters:
    """Cycles at zero wait states.

    Attributes:
        entry_cycles: From the last instruction to the first of the handler.
        exit_cycles: From the return instruction to the next instruction.
        tail_chain_cycles: From a handler to the next one.
        fp_context_cycles: Stacking or restoring the floating-point context.
    """

    entry_cycles: int
    exit_cycles: int
    tail_chain_cycles: int
    fp_context_cycles: int = 0


@dataclass(frozen=True)
class Return:
    """Where an exception return leads.

    Attributes:
        pc: Address of the next instruction.
        number: The exception that has ended.
        moved_fp: Whether a floating-point context was stacked and restored.
    """

    pc: int
    number: int
    moved_fp: bool


class ExceptionUnit:
    """Stacks and unstacks."""

    def __init__(self, emulator: Emulator, core: str) -> None:
        self._emulator = emulator
        self._base = 0xFFFF_FFA0 if core == "cortex-m33" else 0xFFFF_FFE1
        self._has_fp = core in ("cortex-m4", "cortex-m7", "cortex-m33")

    def enter(self, pc: int, stacks_fp: bool) -> None:
        """Stack, with the floating-point context if there is one and `stacks_fp`, and set EXC_RETURN."""
        emulator = self._emulator
        from_thread = emulator.register("ipsr") == 0
        on_psp = from_thread and bool(emulator.register("control") & _SPSEL)
        with_fp = stacks_fp and self._has_fp and bool(emulator.register("control") & _FPCA)
        self._push(pc, with_fp)
        emulator.set_register("control", emulator.register("control") & ~_FPCA)
        mode = (_THREAD if from_thread else 0) | (_PSP if on_psp else 0)
        emulator.set_register("lr", self._base | mode | (0 if with_fp else _NO_FP))

    def vector(self, number: int, vector_table: int) -> int:
        """Become the handler of an exception; returns its address."""
        self._emulator.set_register("ipsr", number)
        return self._emulator.read_word(vector_table + 4 * number) & ~1

    def leave(self, exc_return: int, is_lazy: bool) -> Return:
        """Unstack as an EXC_RETURN value says; a lazily stacked context has moved only if the handler used the FPU."""
        emulator = self._emulator
        number = emulator.register("ipsr")
        used_fp = bool(emulator.register("control") & _FPCA)
        had_fp = self._has_fp and not exc_return & _NO_FP
        stack = "psp" if exc_return & _PSP else "msp"
        frame = emulator.register(stack)
        words = [emulator.read_word(frame + 4 * i) for i in range(FRAME_WORDS)]
        for name, value in zip(_FRAME, words, strict=False):
            emulator.set_register(name, value)
        if had_fp:
            self._restore_fp(frame + 4 * FRAME_WORDS)
        size = 4 * (FRAME_WORDS + (FP_WORDS if had_fp else 0)) + (4 if words[7] >> 9 & 1 else 0)
        emulator.set_register(stack, frame + size)
        self._restore_mode(exc_return, words[7], had_fp)
        return Return(words[6] & ~1, number, had_fp and (used_fp or not is_lazy))

    def _restore_mode(self, exc_return: int, xpsr: int, had_fp: bool) -> None:
        emulator = self._emulator
        emulator.set_register("ipsr", 0 if exc_return & _THREAD else xpsr & 0x1FF)
        emulator.set_register("apsr", xpsr & 0xF80F_0000)
        control = emulator.register("control") & ~(_SPSEL | _FPCA)
        if exc_return & _THREAD:
            control |= _SPSEL if exc_return & _PSP else 0
        emulator.set_register("control", control | (_FPCA if had_fp else 0))

    def _push(self, pc: int, with_fp: bool) -> None:
        emulator = self._emulator
        xpsr = emulator.register("xpsr") | 0x0100_0000
        stack = emulator.register("sp")
        size = 4 * (FRAME_WORDS + (FP_WORDS if with_fp else 0))
        frame = (stack - size) & ~7
        padded = stack - size != frame
        words = [emulator.register(name) for name in _FRAME] + [pc, xpsr & ~0x200 | (0x200 if padded else 0)]
        if with_fp:
            words += [emulator.register(f"s{i}") for i in range(16)] + [emulator.register("fpscr"), 0]
        emulator.write(frame, b"".join(word.to_bytes(4, "little") for word in words))
        emulator.set_register("sp", frame)

    def _restore_fp(self, address: int) -> None:
        for i in range(16):
            self._emulator.set_register(f"s{i}", self._emulator.read_word(address + 4 * i))
        self._emulator.set_register("fpscr", self._emulator.read_word(address + 64))
