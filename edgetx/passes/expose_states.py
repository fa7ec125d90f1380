"""Make states inputs and outputs, for runtimes that keep them elsewhere."""

from dataclasses import dataclass, replace
from typing import ClassVar

from edgetx.ir import Graph
from edgetx.passes.base import Pass


@dataclass(frozen=True)
class ExposeStates(Pass):
    """Take every state as an input behind the others, and give what it becomes as an output behind the others."""

    name: ClassVar[str] = "expose-states"

    def run(self, graph: Graph) -> Graph:
        if not graph.states:
            return graph
        reads, writes = (tuple(getattr(s, end) for s in graph.states) for end in ("read", "write"))
        return replace(graph, inputs=graph.inputs + reads, outputs=graph.outputs + writes, states=())
