"""The pass contract: valid graph in, valid graph out, the same object when nothing changed."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from edgetx.ir import Graph, Node

Watcher = Callable[["Pass", Graph, Graph], None]


@dataclass(frozen=True)
class Pass(ABC):
    """A rewrite of a whole graph; its options are its fields."""

    name: ClassVar[str]

    @abstractmethod
    def run(self, graph: Graph) -> Graph:
        """The rewritten graph."""


@dataclass(frozen=True)
class Rule(Pass):
    """A local rewrite, applied node by node until it applies nowhere."""

    @abstractmethod
    def rewrite(self, node: Node, graph: Graph) -> Graph | str:
        """The graph with `node` rewritten, or the reason why the rule declines."""

    def run(self, graph: Graph) -> Graph:
        """Rewrite to a fixed point."""
        while (rewritten := self._first(graph)) is not None:
            graph = rewritten
        return graph

    def _first(self, graph: Graph) -> Graph | None:
        for node in graph.nodes:
            result = self.rewrite(node, graph)
            if isinstance(result, Graph):
                return result
        return None


@dataclass(frozen=True)
class Repeat(Pass):
    """Passes that make work for each other, in turn until none changes anything."""

    name: ClassVar[str] = "repeat"

    passes: tuple[Pass, ...]

    def run(self, graph: Graph) -> Graph:
        """Run to a fixed point."""
        while (after := run_passes(graph, self.passes)) is not graph:
            graph = after
        return graph


def why_not(rule: Rule, graph: Graph, node: str) -> str:
    """The reason for which `rule` declines the node of that name; empty if it applies."""
    (found,) = (n for n in graph.nodes if n.name == node)
    result = rule.rewrite(found, graph)
    return result if isinstance(result, str) else ""


def run_passes(graph: Graph, passes: Sequence[Pass], watch: Watcher | None = None) -> Graph:
    """Run passes in order.

    Args:
        graph: The graph to rewrite.
        passes: What to run.
        watch: Called with each pass, the graph before and the graph after, when the pass changed something.
    """
    for step in passes:
        before, graph = graph, step.run(graph)
        if watch and graph is not before:
            watch(step, before, graph)
    return graph
