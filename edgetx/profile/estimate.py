"""Cycles of a compiled model from the work of its ops, at once and without firmware.

`targets/estimates/<core>.toml` says what a multiply-accumulate and an element of each op take;
`benchmarks/estimates.py` finds that out on the simulated core.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import cast

from edgetx.config import load_toml, parse
from edgetx.errors import DeviceError, TargetError
from edgetx.ir import Graph, Node
from edgetx.ir.serialize import load_graph
from edgetx.ops import REGISTRY, Op
from edgetx.profile.validation import error_summary
from edgetx.resources import data_dir
from edgetx.targets import Target

Json = dict[str, object]


@dataclass(frozen=True)
class Rate:
    """What an op takes.

    Attributes:
        cycles_per_mac: Cycles per multiply-accumulate.
        cycles_per_element: Cycles per elementwise operation.
    """

    cycles_per_mac: float
    cycles_per_element: float


@dataclass(frozen=True)
class Distance:
    """A model that the rates were not found on, estimated and simulated.

    Attributes:
        model: Its name.
        estimated_cycles: One invocation, estimated.
        simulated_cycles: One invocation, simulated.
    """

    model: str
    estimated_cycles: int
    simulated_cycles: int

    @property
    def error(self) -> float:
        """Relative error of the estimate."""
        return self.estimated_cycles / self.simulated_cycles - 1


@dataclass(frozen=True)
class Estimates:
    """`targets/estimates/<core>.toml`.

    Attributes:
        core: The core.
        source: How the rates were found.
        other: Rate of ops that have none.
        rates: Rate by op.
        distance: How far the estimates are from the simulator.
    """

    core: str
    source: str
    other: Rate
    rates: dict[str, Rate]
    distance: tuple[Distance, ...] = ()

    def cycles(self, node: Node) -> int:
        """Cycles of one application."""
        op = cast(Op, node.op)
        cost, rate = op.cost(node), self.rates.get(op.name, self.other)
        return round(cost.macs * rate.cycles_per_mac + cost.elementwise * rate.cycles_per_element)


def load_estimates(core: str) -> Estimates:
    """Load the rates of a core.

    Raises:
        TargetError: If there are none, or their file is not valid.
    """
    path = data_dir("targets") / "estimates" / f"{core}.toml"
    if not path.exists():
        raise TargetError(f"there are no estimates for the {core}", where=str(path))
    return parse(load_toml(path, TargetError), Estimates, f"estimates/{core}", TargetError)


def estimate_artifact(artifact: Path, target: Target) -> Json:
    """Estimate one invocation of a compiled model, layer by layer.

    Args:
        artifact: A folder that `edgetx compile` wrote, to whatever form and for whatever target.
        target: The board.

    Returns:
        What `edgetx profile --json` prints; what an estimate does not know is None or empty.

    Raises:
        DeviceError: If this is not a compiled folder.
        TargetError: If there are no estimates for the target's core.
    """
    graph = artifact / "graphs" / "integer.npz"
    if not graph.is_file():
        raise DeviceError("only compiled folders can be estimated", where=str(artifact), hint="--engine simulate")
    return estimate_graph(load_graph(graph, REGISTRY), target)


def estimate_graph(graph: Graph, target: Target) -> Json:
    """Estimate one invocation of an integer graph; see `estimate_artifact`."""
    estimates = load_estimates(target.core)
    layers = [_row(node, estimates) for node in graph.nodes if not cast(Op, node.op).is_view]
    cycles = sum(cast(int, layer["cycles"]) for layer in layers)
    energy = target.energy_pj_per_cycle
    return {
        "schema": 1,
        "target": target.name,
        "core": target.core,
        "clock_hz": target.clock_hz,
        "engine": "estimate",
        "cycles": cycles,
        "instructions": None,
        "latency_us": cycles / target.clock_hz * 1e6,
        "energy_uj": None if energy is None else cycles * energy * 1e-6,
        "validation": error_summary([distance.error for distance in estimates.distance], estimates.source),
        "stack_bytes": None,
        "stalls": {},
        "memory": [],
        "layers": layers,
        "functions": [],
        "lines": [],
    }


def _row(node: Node, estimates: Estimates) -> Json:
    op = cast(Op, node.op)
    return {
        "name": node.name,
        "op": op.name,
        "cycles": estimates.cycles(node),
        "instructions": None,
        "macs": op.cost(node).macs,
        "stalls": {},
    }
