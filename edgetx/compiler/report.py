"""`report.json`: what was made, how well it was verified, and what it costs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import edgetx
from edgetx.backends.c import CSources
from edgetx.compiler.artifact import FORM_OF, Artifact, report_name
from edgetx.compiler.evaluation import Accuracy
from edgetx.compiler.source import Source
from edgetx.firmware import Firmware
from edgetx.ir import Graph
from edgetx.ops import Op
from edgetx.plan import KERNELS_DIR
from edgetx.targets import Target

Report = dict[str, object]


@dataclass
class Measured:
    """What was measured on the compiled model.

    Attributes:
        verification: Per runtime, how it compares with the integer reference.
        accuracy: Per runtime, on labelled data; empty if there was none.
        tflm_arena: Arena by TFLite Micro's own allocator on this 64-bit host: `activation_bytes` are the same on
            a target, `persistent_bytes` hold pointers and are smaller there.
        profile: Cycles on the simulated core.
    """

    verification: dict[str, dict[str, object]]
    accuracy: Accuracy
    tflm_arena: Mapping[str, int] | None = None
    profile: Mapping[str, object] | None = None


def build_report(
    source: Source,
    target: Target,
    artifacts: Mapping[str, str],
    artifact: Artifact,
    sources: CSources,
    firmware: Firmware | None,
    measured: Measured,
) -> Report:
    """The report; `None` stands for what was not measured."""
    integer = {
        "name": "int8",
        "accuracy": measured.accuracy.accuracy.get("int"),
        "interval_95": measured.accuracy.interval("int"),
        "parameters": artifact.graph.parameters,
        "macs": graph_macs(artifact.graph),
        "flash_bytes": firmware.flash_bytes if firmware else None,
        "ram_bytes": firmware.ram_bytes if firmware else None,
        "cycles": measured.profile["cycles"] if measured.profile else None,
        "energy_uj": measured.profile["energy_uj"] if measured.profile else None,
    }
    return {
        "schema": 1,
        "edgetx": edgetx.__version__,
        "source": {"kind": source.kind, "name": source.name, "sha256": source.sha256},
        "target": target.name,
        "artifacts": dict(artifacts),
        "stages": [*_earlier_stages(source, artifact, measured.accuracy), integer],
        "memory": memory(sources, firmware),
        "placement": placement(sources),
        "tflm_arena": measured.tflm_arena,
        "verification": {**dict.fromkeys(_possible(artifacts)), **measured.verification},
        "profile": measured.profile,
    }


def _possible(artifacts: Mapping[str, str]) -> list[str]:
    """Runtimes that the artifacts could run in; those without a package stay unmeasured."""
    return [report_name(name) for name, form in FORM_OF.items() if form in artifacts]


def graph_macs(graph: Graph) -> int:
    """Multiply-accumulates of one invocation."""
    return sum(cast(Op, node.op).cost(node).macs for node in graph.nodes)


def placement(sources: CSources) -> list[Report]:
    """The kernel of every layer of the generated C, and the folder it comes from; none is in floating point."""
    return [
        {
            "layer": step.node.name,
            "op": step.node.op.name,
            "kernel": step.call.kernel,
            "folder": "portable" if step.source.parent == KERNELS_DIR else step.source.parent.name,
        }
        for step in sources.program.steps
    ]


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


def _earlier_stages(source: Source, artifact: Artifact, measured: Accuracy) -> list[object]:
    """Stages that training measured; at least the float model, with what was measured now."""
    known, accuracy = source.metrics.get("stages"), measured.accuracy.get("float")
    stages = [stage for stage in known if stage["name"] != "int8"] if isinstance(known, list) else []
    if stages and (accuracy is None or source.plan is not None):
        return stages
    if stages:
        return [*stages[:-1], {**stages[-1], "accuracy": accuracy, "interval_95": measured.interval("float")}]
    return [
        {
            "name": "float",
            "accuracy": accuracy,
            "interval_95": measured.interval("float"),
            "parameters": artifact.float_graph.parameters,
            "macs": graph_macs(artifact.float_graph),
            "flash_bytes": None,
            "ram_bytes": None,
            "cycles": None,
            "energy_uj": None,
        }
    ]
