"""A microphone for simulated firmware: copies samples of a recording to memory, as DMA would.

Registers: BUFFER (0x0, where to), COUNT (0x4: write how many samples to copy, read how many there were), RATE (0x8).
"""

import numpy as np
from numpy.typing import NDArray

from edgetx.profile.simulator import Simulator

MICROPHONE = 0x4800_0000
_BUFFER, _COUNT, _RATE = 0x0, 0x4, 0x8


def attach_microphone(sim: Simulator, samples: NDArray[np.int16], sample_rate_hz: int, base: int = MICROPHONE) -> None:
    """Give simulated firmware something to hear.

    Args:
        sim: The simulator.
        samples: The recording.
        sample_rate_hz: Its rate.
        base: Address of the registers.
    """
    data = np.ascontiguousarray(samples, "<i2")
    place, buffer, count = 0, 0, 0

    def read(offset: int, _size: int) -> int:
        return {_BUFFER: buffer, _COUNT: count, _RATE: sample_rate_hz}.get(offset, 0)

    def write(offset: int, _size: int, value: int) -> None:
        nonlocal place, buffer, count
        if offset == _BUFFER:
            buffer = value
        elif offset == _COUNT:
            part = data[place : place + value]
            place, count = place + len(part), len(part)
            sim.write(buffer, part.tobytes())

    sim.map_mmio(base, 0x1000, read, write)
