"""Worst-case stack use, from the compiler's frame sizes and the calls found in the image."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from capstone import CS_ARCH_ARM, CS_MODE_MCLASS, CS_MODE_THUMB, CS_MODE_V8, Cs

from edgetx.firmware.image import Symbol, elf_functions, stored_words

Instruction = tuple[str, str]
"""Mnemonic and operands."""
_WORD = 4
LIBRARY_FRAME_BYTES = 64  # assumed for the compiler's arithmetic helpers, which come without frame sizes


def worst_case_stack(elf: Path, usage_files: Sequence[Path], entry: str = "Reset_Handler") -> int | None:
    """Bytes of stack along the deepest chain of calls from `entry`; interrupts come on top.

    Args:
        elf: A linked image with symbols.
        usage_files: What `-fstack-usage` left beside the objects.
        entry: The function that starts with an empty stack.

    Returns:
        None if there is no bound that can be seen: recursion, or a frame of variable size.
    """
    try:
        frames, functions = frame_sizes(usage_files), _functions(elf)
        used = {f.name: _frame(frames.get(_without_clone_suffix(f.name)), f.pushed) for f in functions}
        return _deepest(entry, {f.name: f.callees for f in functions}, used, chain=())
    except _UnboundedError:
        return None


def frame_sizes(usage_files: Sequence[Path]) -> dict[str, int]:
    """Frame size by function; of functions with the same name, and of a function's clones, the largest."""
    frames: dict[str, int] = {}
    for path in usage_files:
        for line in path.read_text(encoding="utf-8").splitlines():
            place, size, kind = line.split("\t")
            if kind == "dynamic":
                raise _UnboundedError(place)
            function = _without_clone_suffix(place.rsplit(":", 1)[1])
            frames[function] = max(int(size), frames.get(function, 0))
    return frames


def call_graph(elf: Path) -> dict[str, set[str]]:
    """The functions that each function of an image calls or jumps to.

    A call by pointer may reach every function whose address lies anywhere in the image outside the vector table.
    """
    return {function.name: function.callees for function in _functions(elf)}


@dataclass(frozen=True)
class _Function:
    name: str
    callees: set[str]
    pushed: list[int]  # bytes of every instruction that pushes registers, in order of addresses


def _functions(elf: Path) -> list[_Function]:
    """What the code of every function of an image calls and pushes."""
    functions = elf_functions(elf)
    names = {symbol.address: symbol.name for symbol, _ in functions}
    pointed_at = {names[word - 1] for word in stored_words(elf) if word - 1 in names}
    found = []
    for symbol, code in functions:
        instructions = _instructions(symbol, code)
        callees = _callees(symbol.name, instructions, names, pointed_at)
        found.append(_Function(symbol.name, callees, _pushed(instructions)))
    return found


class _UnboundedError(Exception):
    """No bound of the stack can be given."""


def _instructions(function: Symbol, code: bytes) -> list[Instruction]:
    decoder = Cs(CS_ARCH_ARM, CS_MODE_THUMB | CS_MODE_MCLASS | CS_MODE_V8)
    decoder.skipdata = True
    return [(mnemonic, operands) for _, _, mnemonic, operands in decoder.disasm_lite(code, function.address)]


def _callees(
    name: str, instructions: Sequence[Instruction], names: Mapping[int, str], pointed_at: set[str]
) -> set[str]:
    callees: set[str] = set()
    for mnemonic, operands in instructions:
        if mnemonic == "blx" or (mnemonic == "bx" and operands != "lr"):
            callees |= pointed_at
        elif mnemonic.startswith("b") and operands.startswith("#"):
            callee = names.get(int(operands[1:], 16))
            is_loop = callee == name and mnemonic != "bl"
            if callee and not is_loop:
                callees.add(callee)
    return callees


def _pushed(instructions: Sequence[Instruction]) -> list[int]:
    return [_WORD * _registers(operands) for name, operands in instructions if name.startswith(("push", "vpush"))]


def _registers(operands: str) -> int:
    """How many words a list of registers holds."""
    inside = operands[operands.index("{") + 1 : operands.index("}")]
    return sum(2 if name.strip().startswith("d") else 1 for name in inside.split(","))


def _frame(compiled: int | None, pushed: Sequence[int]) -> int:
    """Bytes that a function takes: what the compiler says, and what inline assembly pushes, of which it knows nothing.

    Args:
        compiled: Of the compiler, if it compiled the function; its own first push is among them.
        pushed: By every push of the function.
    """
    if compiled is None:
        return max(LIBRARY_FRAME_BYTES, sum(pushed))
    own = pushed[0] if pushed and pushed[0] <= compiled else 0
    return compiled + sum(pushed) - own


def _deepest(function: str, calls: Mapping[str, set[str]], frames: Mapping[str, int], chain: tuple[str, ...]) -> int:
    if function in chain:
        raise _UnboundedError(function)
    below = (_deepest(callee, calls, frames, (*chain, function)) for callee in calls[function])
    return frames[function] + max(below, default=0)


def _without_clone_suffix(function: str) -> str:
    """`f` for `f.constprop.0`, which usage files call `f.constprop`."""
    return function.split(".")[0]
