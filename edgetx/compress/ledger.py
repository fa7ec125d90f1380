"""The ledger: what each stage from teacher to silicon has in accuracy, size and cycles."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np

from edgetx.audio import Dataset
from edgetx.compiler.report import graph_macs
from edgetx.compress.teacher import Teacher
from edgetx.errors import ModelError
from edgetx.evaluation import wilson_interval
from edgetx.ir import Graph
from edgetx.quant import QuantPlan
from edgetx.train.evaluate import evaluate
from edgetx.train.examples import Examples
from edgetx.train.graph import GraphModule, QuantizedGraphModule
from edgetx.train.metrics import Stage


def earlier_stages(metrics: Mapping[str, object]) -> list[dict[str, object]]:
    """The stages that a model's metrics.json holds already."""
    stages = metrics.get("stages", [])
    return [dict(stage) for stage in cast(Sequence[Mapping[str, object]], stages)]


def graph_stage(
    name: str, graph: Graph, test: Dataset, plan: QuantPlan | None = None, report: Mapping[str, Any] | None = None
) -> Stage:
    """The stage of a float graph, or with a plan of its integer graph.

    Args:
        name: What was done to get here.
        graph: Canonical float graph.
        test: Clips of the test split.
        plan: Quantization, if the integers are to be judged.
        report: What `edgetx compile` measured of the same graph.
    """
    module = GraphModule(graph) if plan is None else QuantizedGraphModule(graph, plan)
    result = evaluate(module, Examples.of(test))
    built, profile = (report["stages"][-1], report["profile"]) if report else ({}, None)
    return Stage(
        name, result.accuracy, result.interval, graph.parameters, graph_macs(graph),
        flash_bytes=built.get("flash_bytes"),
        ram_bytes=built.get("ram_bytes"),
        cycles=built.get("cycles"),
        energy_uj=profile["energy_uj"] if profile else None,
    )  # fmt: skip


def teacher_stage(teacher: Teacher, clips: Dataset) -> Stage:
    """The stage of a teacher, from what it hears in the recordings of the test clips."""
    correct = int((teacher.logits(clips.x.astype(np.int16)).argmax(1) == clips.y).sum())
    interval = wilson_interval(correct, len(clips.y))
    return Stage(f"teacher {Path(teacher.name).name}", correct / len(clips.y), interval, teacher.parameters)


def ledger_of(folder: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The stages of a model folder or of what `edgetx compile` wrote, and the networks that a search looked at.

    Raises:
        ModelError: If the folder is neither, or its files are damaged.
    """
    for name in ("report.json", "metrics.json"):
        if (folder / name).is_file():
            content = _read(folder / name)
            stages = content.get("stages") if isinstance(content, dict) else None
            if not isinstance(stages, list) or not all(isinstance(row, dict) and "name" in row for row in stages):
                raise ModelError("holds no stages", where=str(folder / name))
            search = folder / "search.json"
            return stages, _read(search) if search.is_file() else []
    hint = "a folder that edgetx train, distill, prune, quantize, search or compile wrote"
    raise ModelError("has neither report.json nor metrics.json", where=str(folder), hint=hint)


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise ModelError(f"cannot be read: {problem}", where=str(path)) from problem
