"""Which chip it is, asked before anything is erased."""

from collections.abc import Callable

from edgetx.errors import DeviceError
from edgetx.targets import CORES, Target

CPUID = 0xE000_ED00
_PART_SHIFT, _PART_MASK = 4, 0xFFF


def check_chip(target: Target, read_word: Callable[[int], int], where: str) -> str:
    """Compare core and chip with the target.

    Args:
        target: What the image was built for.
        read_word: Reads a word of the device's memory.
        where: The probe, for messages.

    Returns:
        What was found, for people.

    Raises:
        DeviceError: If it is another core or chip.
    """
    check_core(target, read_word(CPUID), where)
    found = [target.core]
    for identity in target.identity:
        value = read_word(identity.address) & identity.mask
        if value != identity.value:
            what = f"another chip: 0x{identity.address:08x} reads 0x{value:x}, a {target.name} 0x{identity.value:x}"
            raise DeviceError(what, where=where, hint="nothing was erased; choose the board's own --target")
        found.append(f"chip id 0x{value:x}")
    return ", ".join(found)


def check_core(target: Target, cpuid: int, where: str) -> None:
    """Compare a CPUID register with the target's core.

    Raises:
        DeviceError: If it is that of another core.
    """
    part = cpuid >> _PART_SHIFT & _PART_MASK
    expected = target.core_info.part_number
    if part != expected:
        names = [core.name for core in CORES.values() if core.part_number == part]
        found = names[0] if names else f"an unknown core (CPUID 0x{cpuid:08x})"
        what = f"another chip: its core is {found}, a {target.name} has a {target.core}"
        raise DeviceError(what, where=where, hint="choose the board's own --target")
