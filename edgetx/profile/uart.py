"""The UART of Arm's CMSDK, through which firmware on MPS2 boards prints."""

from edgetx.profile.bus import Peripheral

_DATA, _STATE = 0x0, 0x4
SIZE = 0x1000


def cmsdk_uart(base: int, output: bytearray) -> Peripheral:
    """A UART that is always ready to send and never receives.

    Args:
        base: Address of its registers.
        output: Where what it sends is appended.
    """
    registers: dict[int, int] = {}

    def read(offset: int, _size: int) -> int:
        return 0 if offset in (_DATA, _STATE) else registers.get(offset, 0)

    def write(offset: int, _size: int, value: int) -> None:
        if offset == _DATA:
            output.append(value & 0xFF)
        else:
            registers[offset] = value

    return Peripheral(base, SIZE, read, write)
