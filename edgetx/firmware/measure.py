"""What a firmware image takes on the device."""

from dataclasses import dataclass
from pathlib import Path

from edgetx.firmware.image import section_sizes
from edgetx.firmware.toolchain import Toolchain


@dataclass(frozen=True)
class Firmware:
    """An image and what it takes on the device.

    Attributes:
        elf: The image.
        toolchain: Name and version of the compiler.
        code_bytes: What the boot ROM wants, vector table, code and the initial values of variables.
        weights_bytes: Constants.
        golden_bytes: Test inputs that are part of the image.
        service_bytes: Code with which the image lets a host run the model, and its memory.
        arena_bytes: Memory for activations.
        state_bytes: Memory for state that outlives a call of the model.
        data_bytes: Other variables.
        stack_bytes: Reserved stack.
        worst_case_stack_bytes: Stack along the deepest chain of calls, or None if there is no static bound.
    """

    elf: Path
    toolchain: str
    code_bytes: int
    weights_bytes: int
    golden_bytes: int
    service_bytes: int
    arena_bytes: int
    state_bytes: int
    data_bytes: int
    stack_bytes: int
    worst_case_stack_bytes: int | None

    @property
    def flash_bytes(self) -> int:
        """What the model needs of the flash, without test inputs and service."""
        return self.code_bytes + self.weights_bytes

    @property
    def ram_bytes(self) -> int:
        """All memory that is written."""
        return self.arena_bytes + self.state_bytes + self.data_bytes + self.stack_bytes


def measure_firmware(elf: Path, toolchain: Toolchain, worst_case_stack_bytes: int | None) -> Firmware:
    """Sizes from the sections that our linker script makes."""
    sizes = section_sizes(elf)
    return Firmware(
        elf=elf,
        toolchain=toolchain.version(),
        code_bytes=sizes.get("boot", 0) + sizes["vectors"] + sizes["text"] + sizes.get("data", 0),
        weights_bytes=sizes.get("rodata", 0),
        golden_bytes=sizes.get("golden", 0),
        service_bytes=sizes.get("service", 0) + sizes.get("service_data", 0),
        arena_bytes=sizes.get("arena", 0),
        state_bytes=sizes.get("state", 0),
        data_bytes=sizes.get("data", 0) + sizes.get("bss", 0),
        stack_bytes=sizes["stack"],
        worst_case_stack_bytes=worst_case_stack_bytes,
    )
