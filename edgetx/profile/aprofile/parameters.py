"""`targets/a-profile/<core>.toml`: the numbers of an application core's model, each with its source."""

from dataclasses import dataclass
from functools import cache
from typing import Literal

from edgetx.config import load_toml, parse
from edgetx.errors import TargetError
from edgetx.profile.cores.parameters import ParameterSource
from edgetx.resources import data_dir


@dataclass(frozen=True)
class Row:
    """A class of instructions.

    Attributes:
        latency: Cycles from issue until another instruction can use the result.
        units: What it needs, all at once, from its issue on.
        cycles: How long it keeps them.
        accumulate: Latency into the accumulator of another of the class, where that is shorter.
    """

    latency: int
    units: tuple[str, ...]
    cycles: int = 1
    accumulate: int | None = None


@dataclass(frozen=True)
class Memory:
    """What is behind the caches of the target.

    Attributes:
        dram_ns: Time of an access that misses all caches.
        streams: Ascending streams of lines that the core fetches ahead.
        hidden_cycles: Cycles of a miss in which an out-of-order core finds other work.
    """

    dram_ns: float
    streams: int
    hidden_cycles: int


@dataclass(frozen=True)
class ApplicationCore:
    """A core file.

    Attributes:
        name: Name of the core.
        basis: What its figures rest on; printed under each profile.
        order: Whether instructions issue in program order.
        width: Instructions issued, or out of order dispatched, per cycle.
        window: Instructions in flight; of no meaning in order.
        mispredict_cycles: Cost of a branch that was predicted wrongly.
        q_form: What a 128-bit operation takes of vector pipes: twice as long as 64 bits, two pipes, or one.
        q_first_slot: Whether a 128-bit operation issues only as the first of its cycle.
        update_latency: Latency of a base register that an access updates.
        units: Pipes of each unit.
        rows: Classes of instructions.
        memory: What is behind the caches.
        source: Where each number comes from.
    """

    name: str
    basis: str
    order: Literal["in", "out"]
    width: int
    mispredict_cycles: int
    q_form: Literal["two_cycles", "two_pipes", "one_pipe"]
    update_latency: int
    units: dict[str, tuple[str, ...]]
    rows: dict[str, Row]
    memory: Memory
    window: int = 0
    q_first_slot: bool = False
    source: tuple[ParameterSource, ...] = ()

    def __post_init__(self) -> None:
        for name, row in self.rows.items():
            for unit in row.units:
                if unit not in self.units:
                    raise TargetError(f"there is no unit '{unit}'", where=f"a-profile/{self.name}.rows.{name}")

    def row(self, kind: str) -> Row:
        """The row of a class.

        Raises:
            TargetError: If there is none.
        """
        if kind not in self.rows:
            hint = "was the program compiled for a phone with other cores?"
            raise TargetError(f"no row for '{kind}'", where=f"a-profile/{self.name}.rows", hint=hint)
        return self.rows[kind]

    def demand(self, row: Row, is_q: bool) -> tuple[int, tuple[tuple[tuple[str, ...], int], ...]]:
        """Cycles for which pipes are kept, and how many of which pipes."""
        is_wide = is_q and self.q_form == "two_pipes"
        pipes = tuple((self.units[u], 2 if is_wide and u == "vector" else 1) for u in row.units)
        is_half = not is_q and self.q_form == "two_cycles" and "vector" in row.units
        return (row.cycles + 1) // 2 if is_half else row.cycles, pipes


@cache
def load_application_core(name: str) -> ApplicationCore:
    """Load the parameters of an application core.

    Raises:
        TargetError: If there is no timing model of that core, or its file is not valid.
    """
    path = data_dir("targets") / "a-profile" / f"{name}.toml"
    if not path.exists():
        raise TargetError(f"there is no timing model of the {name}", where=str(path))
    return parse(load_toml(path, TargetError), ApplicationCore, f"a-profile/{name}", TargetError)
