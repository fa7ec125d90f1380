"""What a float graph costs on a target: estimated in milliseconds, or measured on firmware that is built from it."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from edgetx.compiler import Budget, CompileOptions, compile_model
from edgetx.compress.folder import write_graph_folder
from edgetx.compress.trained import Trained
from edgetx.errors import FitError
from edgetx.ir import Graph
from edgetx.plan import load_schedule, plan_program
from edgetx.profile.estimate import Estimates, load_estimates
from edgetx.quant import QuantPlan, QuantRecipe, apply_plan, make_plan
from edgetx.targets import Target


@dataclass(frozen=True)
class Cost:
    """One invocation of a model.

    Attributes:
        cycles: Cycles of the core.
        ram_bytes: Arena, states, variables and stack.
        flash_bytes: Weights and code.
    """

    cycles: float
    ram_bytes: float
    flash_bytes: float

    def over(self, limit: "Cost") -> "Cost":
        """The share that each is of a limit."""
        return Cost(self.cycles / limit.cycles, self.ram_bytes / limit.ram_bytes, self.flash_bytes / limit.flash_bytes)

    @property
    def worst(self) -> float:
        """The largest of the three."""
        return max(self.cycles, self.ram_bytes, self.flash_bytes)

    def beyond(self, limit: "Cost") -> str:
        """What is over a limit, in words."""
        rows = (
            ("cycles", self.cycles, limit.cycles),
            ("bytes of RAM", self.ram_bytes, limit.ram_bytes),
            ("bytes of flash", self.flash_bytes, limit.flash_bytes),
        )
        return " and ".join(f"{mine:,.0f} {what}, {most:,.0f} allowed" for what, mine, most in rows if mine > most)


NO_LIMIT = Cost(float("inf"), float("inf"), float("inf"))


def limit_of(budget: Budget, target: Target) -> Cost:
    """A budget in the units of a target."""
    return Cost(
        float("inf") if budget.latency_us is None else budget.latency_us * 1e-6 * target.clock_hz,
        float("inf") if budget.ram_bytes is None else budget.ram_bytes,
        float("inf") if budget.flash_bytes is None else budget.flash_bytes,
    )


def estimated_cost(graph: Graph, target: Target, arena_bytes: float = float("inf")) -> Cost:
    """Arena, weights and estimated cycles of a float graph; knows neither code nor stack.

    Args:
        graph: A canonical float graph.
        target: The board.
        arena_bytes: What copies of weights may fill the arena to.

    Raises:
        TargetError: If there are no estimates for the target's core.
        UnsupportedOpError: If an op has no C kernel.
    """
    ranges = {value.name: (-1.0, 1.0) for value in graph.values}
    integer = apply_plan(graph, make_plan(graph, ranges, QuantRecipe()))
    program = plan_program(integer, target.kernels, arena_bytes=arena_bytes, schedule=load_schedule(target))
    rates = _rates(target.core)
    weights = sum(array.nbytes for array in integer.consts.values())
    cycles = sum(rates.cycles(node) for node in integer.nodes)
    return Cost(cycles, program.arena.nbytes + program.state_bytes, weights)


@cache
def _rates(core: str) -> Estimates:
    """Read once: pruning and search ask hundreds of times."""
    return load_estimates(core)


@dataclass(frozen=True)
class CostModel:
    """Estimates corrected by what one built model of the same kind really cost.

    Attributes:
        target: The board.
        cycle_factor: Measured over estimated cycles.
        ram_offset: Measured less estimated bytes of memory: stack and variables.
        flash_offset: Measured less estimated bytes of flash: code and the front end.
        ram_bytes: What copies of weights may fill the memory to.
    """

    target: Target
    cycle_factor: float = 1.0
    ram_offset: float = 0.0
    flash_offset: float = 0.0
    ram_bytes: float = float("inf")

    def __call__(self, graph: Graph) -> Cost:
        """The expected cost of a float graph."""
        cost = self._estimated(graph)
        return Cost(
            cost.cycles * self.cycle_factor, cost.ram_bytes + self.ram_offset, cost.flash_bytes + self.flash_offset
        )

    def corrected(self, graph: Graph, report: Mapping[str, Any]) -> "CostModel":
        """The model that is right for this graph, of which `edgetx compile` reports this."""
        measured, memory = cost_of(report), report["memory"]
        offset = measured.ram_bytes - memory["arena_bytes"] - memory["state_bytes"]
        placed = replace(self, ram_offset=offset)
        cost = placed._estimated(graph)
        return replace(
            placed,
            cycle_factor=measured.cycles / cost.cycles,
            flash_offset=measured.flash_bytes - cost.flash_bytes,
        )

    def _estimated(self, graph: Graph) -> Cost:
        return estimated_cost(graph, self.target, self.ram_bytes - self.ram_offset)


def built_report(
    model: Trained, target: Target, plan: QuantPlan | None = None, limit: Cost = NO_LIMIT
) -> Mapping[str, Any]:
    """Compile a model to firmware and simulate it: the report that `edgetx compile` writes, within the limit or not.

    Args:
        model: What to compile.
        target: The board.
        plan: Its quantization; that of the recipe's calibration unless given.
        limit: Where its memory is short, fewer weights are copied there.

    Raises:
        EdgetxError: If it cannot be compiled for the target.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / model.recipe.name
        write_graph_folder(folder, model.text, model.graph, model.calibration, plan=plan)
        budget = Budget(ram_bytes=None if limit.ram_bytes == NO_LIMIT.ram_bytes else int(limit.ram_bytes))
        options = CompileOptions(
            str(folder), target, Path(scratch) / "out", ("c",), budget=budget, cases=1, simulated_cases=1, enforce=False
        )
        return compile_model(options)


def cost_of(report: Mapping[str, Any]) -> Cost:
    """The cost that a report of a compiled model states.

    Raises:
        FitError: If it was not measured.
    """
    stage = report["stages"][-1]
    if stage["cycles"] is None or stage["ram_bytes"] is None:
        raise FitError("cycles and memory were not measured", hint="install the extras 'simulate' and 'firmware'")
    return Cost(stage["cycles"], stage["ram_bytes"], stage["flash_bytes"])
