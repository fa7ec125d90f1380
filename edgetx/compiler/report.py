"""`report.json`: what was made, how well it was verified, and what it costs."""

from collections.abc import Mapping
from typing import cast

import edgetx
from edgetx.backends.c import CSources
from edgetx.compiler.artifact import Artifact
from edgetx.compiler.source import Source
from edgetx.firmware import Firmware
from edgetx.ir import Graph
from edgetx.ops import Op
from edgetx.targets import Target

Report = dict[str, object]


def build_report(
    source: Source,
    target: Target,
    artifacts: Mapping[str, str],
    artifact: Artifact,
    sources: CSources,
    firmware: Firmware | None,
    verification: Mapping[str, object],
    profile: Mapping[str, object] | None,
) -> Report:
    """The report; `None` stands for what was not measured."""
    integer = {
        "name": "int8",
        "accuracy": None,
        "parameters": artifact.graph.parameters,
        "macs": graph_macs(artifact.graph),
        "flash_bytes": firmware.flash_bytes if firmware else None,
        "ram_bytes": firmware.ram_bytes if firmware else None,
        "cycles": profile["cycles"] if profile else None,
    }
    return {
        "schema": 1,
        "edgetx": edgetx.__version__,
        "source": {"kind": source.kind, "name": source.name, "sha256": source.sha256},
        "target": target.name,
        "artifacts": dict(artifacts),
        "stages": [*_earlier_stages(source, artifact), integer],
        "memory": memory(sources, firmware),
        "verification": dict(verification),
        "profile": profile,
    }


def graph_macs(graph: Graph) -> int:
    """Multiply-accumulates of one invocation."""
    return sum(cast(Op, node.op).cost(node).macs for node in graph.nodes)


def memory(sources: CSources, firmware: Firmware | None) -> Report:
    """Bytes by purpose; flash, code and stack come from the image."""
    arena = sources.program.arena
    return {
        "weights_bytes": firmware.weights_bytes if firmware else None,
        "code_bytes": firmware.code_bytes if firmware else None,
        "arena_bytes": arena.nbytes,
        "arena_lower_bound_bytes": arena.lower_bound,
        "state_bytes": sources.program.state_bytes,
        "stack_bytes": firmware.worst_case_stack_bytes if firmware else None,
    }


def _earlier_stages(source: Source, artifact: Artifact) -> list[object]:
    """Stages that training measured; at least the float model."""
    stages = source.metrics.get("stages")
    if isinstance(stages, list) and stages:
        return stages
    return [
        {
            "name": "float",
            "accuracy": None,
            "parameters": artifact.float_graph.parameters,
            "macs": graph_macs(artifact.float_graph),
            "flash_bytes": None,
            "ram_bytes": None,
            "cycles": None,
        }
    ]
