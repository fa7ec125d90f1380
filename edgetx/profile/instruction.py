"""What the timing models need to know of an instruction; no timing here."""

from dataclasses import dataclass
from enum import Enum, auto


class Kind(Enum):
    """Classes of instructions that some core times alike."""

    ALU = auto()
    MULTIPLY = auto()
    LONG_MULTIPLY = auto()
    DIVIDE = auto()
    LOAD = auto()
    STORE = auto()
    LOAD_MULTIPLE = auto()
    STORE_MULTIPLE = auto()
    PRELOAD = auto()
    BRANCH = auto()
    CALL = auto()
    BRANCH_REGISTER = auto()
    CALL_REGISTER = auto()
    COMPARE_BRANCH = auto()
    TABLE_BRANCH = auto()
    IT = auto()
    NOP = auto()
    BARRIER = auto()
    STATUS = auto()
    WAIT = auto()
    TRAP = auto()
    FP_ALU = auto()
    FP_MAC = auto()
    FP_DIVIDE = auto()
    FP_SQRT = auto()
    FP_MOVE = auto()
    FP_STATUS = auto()


class Index(Enum):
    """How the base register of an access changes."""

    OFFSET = auto()
    PRE = auto()
    POST = auto()


@dataclass(frozen=True, slots=True)
class Access:
    """The memory operand of a load or store.

    Attributes:
        base: Base register.
        index: Index register, if there is one.
        shift: Left shift of the index register.
        offset: Constant added to the base; for post-indexed accesses what is added afterwards.
        mode: Whether and when the base register changes.
        width: Bytes per access.
        count: Number of accesses.
    """

    base: str
    index: str | None
    shift: int
    offset: int
    mode: Index
    width: int
    count: int

    @property
    def registers(self) -> tuple[str, ...]:
        """Registers the address is made of."""
        return (self.base, self.index) if self.index else (self.base,)

    @property
    def is_literal(self) -> bool:
        """Whether the address is relative to the program counter."""
        return self.base == "pc"


@dataclass(frozen=True, slots=True)
class Instruction:
    """A decoded instruction.

    Attributes:
        address: Where it is.
        size: 2 or 4 bytes.
        name: Canonical mnemonic in lower case, without condition, width and `s`.
        text: As a disassembler prints it.
        kind: Its class.
        condition: `al`, or the condition under which it executes (IT block or conditional branch).
        reads: Registers read, the address registers included.
        writes: Registers written.
        sets_flags: Whether it writes N, Z, C or V.
        reads_flags: Whether it needs them.
        access: Memory operand.
        target: Address of a direct branch.
        shift: Kind and amount of a shift within operand 2; amount 0 when by register.
        immediate: The constant operand.
        double: Whether it is a double-precision operation.
    """

    address: int
    size: int
    name: str
    text: str
    kind: Kind
    condition: str = "al"
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    sets_flags: bool = False
    reads_flags: bool = False
    access: Access | None = None
    target: int | None = None
    shift: tuple[str, int] | None = None
    immediate: int | None = None
    double: bool = False

    @property
    def end(self) -> int:
        """Address of the next instruction."""
        return self.address + self.size

    @property
    def wide(self) -> bool:
        """Whether the encoding has 32 bits."""
        return self.size == 4

    @property
    def unaligned_wide(self) -> bool:
        """Whether it is a 32-bit encoding that straddles two words."""
        return self.wide and self.address % 4 == 2

    @property
    def is_load(self) -> bool:
        """Whether it reads memory."""
        return self.kind in (Kind.LOAD, Kind.LOAD_MULTIPLE)

    @property
    def is_store(self) -> bool:
        """Whether it writes memory."""
        return self.kind in (Kind.STORE, Kind.STORE_MULTIPLE)

    @property
    def is_fp(self) -> bool:
        """Whether it belongs to the floating-point extension."""
        return self.name[0] == "v"

    @property
    def is_call(self) -> bool:
        """Whether it leaves a return address in LR."""
        return self.kind in (Kind.CALL, Kind.CALL_REGISTER)

    @property
    def changes_flow(self) -> bool:
        """Whether the next instruction may be somewhere else."""
        return self.kind in BRANCHES or "pc" in self.writes


BRANCHES = frozenset(
    {
        Kind.BRANCH,
        Kind.CALL,
        Kind.BRANCH_REGISTER,
        Kind.CALL_REGISTER,
        Kind.COMPARE_BRANCH,
        Kind.TABLE_BRANCH,
    }
)


@dataclass(frozen=True)
class Block:
    """Instructions that execute one after the other, entered at the first."""

    address: int
    size: int
    instructions: tuple[Instruction, ...]

    @property
    def end(self) -> int:
        """Address behind the last instruction."""
        return self.address + self.size

    @property
    def last(self) -> Instruction:
        """The instruction that ends the block."""
        return self.instructions[-1]

    def is_alone(self, instruction: Instruction) -> bool:
        """Whether an instruction cannot be told apart from the rest: there is none, or it belongs to an IT block."""
        return len(self.instructions) == 1 or instruction.condition != "al"

    def before(self, address: int) -> "Block":
        """The part before an instruction."""
        kept = tuple(i for i in self.instructions if i.address < address)
        return Block(self.address, address - self.address, kept)
