"""`targets/cores/<core>.toml`: the numbers of a core model, each with its source."""

from dataclasses import dataclass, field
from functools import cache

from edgetx.config import load_toml, parse
from edgetx.errors import TargetError
from edgetx.profile.cores.m0 import M0Parameters
from edgetx.profile.cores.m4 import M4Parameters
from edgetx.profile.cores.m7 import M7Parameters
from edgetx.profile.cores.m33 import M33Parameters
from edgetx.profile.exceptions import ExceptionParameters
from edgetx.profile.trace.costs import Costs
from edgetx.resources import data_dir

SOURCE_KINDS = ("documented", "measured", "inferred")


@dataclass(frozen=True)
class ParameterSource:
    """Where parameters come from.

    Attributes:
        fields: Names of the parameters, such as `m4.refill_cycles`.
        kind: documented (by Arm or the vendor), measured (by third parties, on silicon) or inferred.
        where: The document or measurement, or the reasoning.
    """

    fields: tuple[str, ...]
    kind: str
    where: str


@dataclass(frozen=True)
class CoreParameters:
    """A core file; exactly one of the pipeline tables is there.

    Attributes:
        name: Name of the core.
        exceptions: Exception entry and return.
        costs: Costs that depend on operands and addresses.
        bus_cycles: What the bus to memory behind a cache takes on a miss.
        skips_failed: Whether an instruction of an IT block whose condition fails takes one cycle and nothing else; if
            not, it takes what it would take executed.
        source: Where each number comes from.
    """

    name: str
    exceptions: ExceptionParameters
    costs: Costs = field(default_factory=Costs)
    bus_cycles: int = 0
    skips_failed: bool = True
    m0: M0Parameters | None = None
    m4: M4Parameters | None = None
    m7: M7Parameters | None = None
    m33: M33Parameters | None = None
    source: tuple[ParameterSource, ...] = ()


@cache
def load_core(name: str) -> CoreParameters:
    """Load the parameters of a core.

    Raises:
        TargetError: If there is no timing model of that core, or its file is not valid.
    """
    path = data_dir("targets") / "cores" / f"{name}.toml"
    if not path.exists():
        raise TargetError(f"there is no timing model of the {name}", where=str(path))
    return parse(load_toml(path, TargetError), CoreParameters, f"cores/{name}", TargetError)
