"""IT blocks: instructions that execute or are passed over by a condition known only when they are reached."""

from dataclasses import replace

from edgetx.profile.instruction import Block, Instruction, Kind


def governed(it: Instruction) -> int:
    """How many instructions follow an IT instruction in its block."""
    return len(it.text.split()[0]) - 1


def condition_of(block: Block, index: int) -> str:
    """The condition of the IT instruction at an index."""
    following = block.instructions[index + 1 : index + 2]
    return following[0].condition if following else "al"


def decided(block: Block, index: int, holds: bool) -> Block:
    """The block when the condition of the IT instruction at an index holds, or does not.

    What is ruled out becomes an instruction that takes its turn and does nothing. Behind an instruction that sets the
    flags anew, within the same IT block, the rest is left as it is.
    """
    condition = condition_of(block, index)
    instructions = list(block.instructions)
    for i in range(index + 1, min(index + 1 + governed(instructions[index]), len(instructions))):
        if (instructions[i].condition == condition) != holds:
            instructions[i] = _passed_over(instructions[i])
        elif instructions[i].sets_flags:
            break
    return replace(block, instructions=tuple(instructions))


def _passed_over(this: Instruction) -> Instruction:
    return replace(this, kind=Kind.ALU, reads=(), writes=(), sets_flags=False, access=None, shift=None, target=None)
