"""UARTs through which firmware prints: of Arm's CMSDK (MPS2 boards), and of Nordic's nRF51 and nRF52."""

from edgetx.profile.bus import Peripheral

_DATA, _STATE = 0x0, 0x4
_NRF_SENT, _NRF_DATA = 0x11C, 0x51C
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


def nrf_uart(base: int, output: bytearray) -> Peripheral:
    """A UART that sends at once and never receives.

    Args:
        base: Address of its registers.
        output: Where what it sends is appended.
    """
    registers: dict[int, int] = {}

    def read(offset: int, _size: int) -> int:
        return registers.get(offset, 0)

    def write(offset: int, _size: int, value: int) -> None:
        if offset == _NRF_DATA:
            output.append(value & 0xFF)
            registers[_NRF_SENT] = 1
        else:
            registers[offset] = value

    return Peripheral(base, SIZE, read, write)


UARTS = {"cmsdk-uart": cmsdk_uart, "nrf-uart": nrf_uart}
"""By the name that targets give to their console."""
