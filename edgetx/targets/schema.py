"""The keys of a target file. Every number is in the unit its name ends in."""

from dataclasses import dataclass, field

from edgetx.errors import TargetError
from edgetx.targets.cores import CORES, Core


@dataclass(frozen=True)
class MemoryRegion:
    """A range of addresses backed by one kind of memory.

    Attributes:
        base_address: First address.
        size_bytes: Size of the whole region.
        roles: What the firmware keeps here: code, weights, data, arena, state, stack.
        reserve_bytes: Part at the end that is left to the application.
        aliases: Other addresses at which the same memory appears.
        bank_bytes: Sizes of the physical memories in address order, where there are several.
        tightly_coupled: Whether the core reaches it without bus or cache.
    """

    base_address: int
    size_bytes: int
    roles: tuple[str, ...] = ()
    reserve_bytes: int = 0
    aliases: tuple[int, ...] = ()
    bank_bytes: tuple[int, ...] = ()
    tightly_coupled: bool = False

    @property
    def end_address(self) -> int:
        """First address behind the region."""
        return self.base_address + self.size_bytes

    @property
    def usable_bytes(self) -> int:
        """What is left for the firmware."""
        return self.size_bytes - self.reserve_bytes


@dataclass(frozen=True)
class WaitStates:
    """Extra cycles per flash read, up to and including a clock."""

    max_hz: int
    cycles: int


@dataclass(frozen=True)
class BitField:
    """Bits of a 32-bit hardware register."""

    address: int
    bit: int = 0
    width: int = 1


@dataclass(frozen=True)
class Register:
    """A hardware register that is not zero after reset."""

    address: int
    reset_value: int


@dataclass(frozen=True)
class Flash:
    """Timing of the memory that holds code and weights.

    Attributes:
        region: Name of the memory region.
        line_bits: Width of one read of the array.
        wait_states: Extra cycles per read, by ascending clock.
        prefetch: Whether the next line is read ahead, as the board is usually run.
        wait_states_field: Where firmware sets the wait states.
        prefetch_field: Where firmware turns prefetch on.
        buffers_data: Whether the line read last for data is kept even without a cache.
    """

    region: str
    line_bits: int
    wait_states: tuple[WaitStates, ...]
    prefetch: bool = False
    wait_states_field: BitField | None = None
    prefetch_field: BitField | None = None
    buffers_data: bool = True

    def wait_cycles(self, clock_hz: int) -> int:
        """Extra cycles per read at a clock.

        Raises:
            TargetError: If the flash cannot be read at this clock.
        """
        for row in self.wait_states:
            if clock_hz <= row.max_hz:
                return row.cycles
        fastest = self.wait_states[-1].max_hz if self.wait_states else 0
        raise TargetError(f"no flash wait states are known for {clock_hz} Hz", hint=f"at most {fastest} Hz")


@dataclass(frozen=True)
class Cache:
    """A cache in front of some regions.

    Attributes:
        regions: Names of the memory regions it caches.
        holds: What it caches: instructions, data.
        size_bytes: Capacity.
        line_bytes: Bytes per line.
        ways: Associativity; as many ways as lines means fully associative.
        replacement: Which line of a full set is given up: `lru`, the one used least recently, or `random`.
        level: 1 is next to the core.
        hit_cycles: Extra cycles of a hit.
        enable_field: Where firmware turns the cache on.
    """

    regions: tuple[str, ...]
    holds: tuple[str, ...]
    size_bytes: int
    line_bytes: int
    ways: int
    replacement: str = "lru"
    level: int = 1
    hit_cycles: int = 0
    enable_field: BitField | None = None


@dataclass(frozen=True)
class Console:
    """Where firmware prints and listens.

    Attributes:
        kind: semihosting, cmsdk-uart or nrf-uart.
        base_address: Where a UART's registers are.
        tx_pin: Pin on which the UART sends, where that is chosen by register.
        rx_pin: Pin on which it receives.
    """

    kind: str = "semihosting"
    base_address: int | None = None
    tx_pin: int | None = None
    rx_pin: int | None = None


@dataclass(frozen=True)
class Identity:
    """A register that tells a chip from others, read before anything is erased."""

    address: int
    value: int
    mask: int = 0xFFFF_FFFF


@dataclass(frozen=True)
class Uf2:
    """The bootloader that takes UF2 files: the family number it accepts, and the Board-ID by which it names itself."""

    family: int
    board: str


@dataclass(frozen=True)
class Source:
    """Where numbers come from.

    Attributes:
        fields: Patterns of dotted keys, such as `memory.*`.
        kind: datasheet, measured or estimated.
        where: The document, register or measurement.
    """

    fields: tuple[str, ...]
    kind: str
    where: str


@dataclass(frozen=True)
class Target:
    """A board or phone.

    Attributes:
        name: Name on the command line; the file is called the same.
        description: One line for people.
        core: Name of the core.
        clock_hz: Clock at which the core runs.
        priority_bits: Upper bits that its interrupt priorities have; 0: 2 on ARMv6-M, else all 8.
        kind: mcu, phone (which runs a program), or framework (a chip whose firmware its vendor's tools build).
        features: Optional parts of the core that this chip has.
        memory: Regions by name.
        kernels: Folders of C kernels in search order.
        console: Where firmware prints.
        flash: Flash timing; a target without it reads code without wait states.
        cache: Caches.
        identity: Registers that tell the chip from others.
        debug_name: What pyOCD calls the chip.
        uf2: Its bootloader, if that takes UF2 files.
        esptool: What esptool calls the chip, if that flashes it.
        boot: What its boot ROM wants to find in flash: `rp2040` (a second stage) or `rp2350` (an image definition).
        register: Registers whose value after reset firmware builds on.
        energy_pj_per_cycle: Measured energy of the whole board per core cycle.
        source: Where each number comes from.
    """

    name: str
    description: str
    core: str
    clock_hz: int
    priority_bits: int = 0
    kind: str = "mcu"
    features: tuple[str, ...] = ()
    memory: dict[str, MemoryRegion] = field(default_factory=dict)
    kernels: tuple[str, ...] = ("portable",)
    console: Console = Console()
    flash: Flash | None = None
    cache: tuple[Cache, ...] = ()
    identity: tuple[Identity, ...] = ()
    debug_name: str = ""
    uf2: Uf2 | None = None
    esptool: str = ""
    boot: str = ""
    register: tuple[Register, ...] = ()
    energy_pj_per_cycle: float | None = None
    source: tuple[Source, ...] = ()

    @property
    def core_info(self) -> Core:
        """The core itself."""
        return CORES[self.core]

    @property
    def priority_mask(self) -> int:
        """Bits of a priority byte that exist."""
        bits = self.priority_bits or (2 if self.core_info.architecture == "ARMv6-M" else 8)
        return 0xFF & ~(0xFF >> bits)

    def region_of(self, role: str) -> str:
        """Name of the memory region that has a role.

        Raises:
            TargetError: If no region has it.
        """
        for name, region in self.memory.items():
            if role in region.roles:
                return name
        raise TargetError(f"no memory region has the role '{role}'", where=self.name)
