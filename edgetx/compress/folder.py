"""Folders of compressed models: a float graph of any shape, with its recipe and what was measured."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from edgetx.compiler.source import GRAPH, PLAN
from edgetx.ir import Array, Graph
from edgetx.ir.serialize import save_graph
from edgetx.output import explained, replaced_folder
from edgetx.quant import QuantPlan
from edgetx.train.model_folder import MARKER


def write_graph_folder(
    out: Path,
    recipe_text: str,
    graph: Graph,
    calibration: Array,
    *,
    plan: QuantPlan | None = None,
    metrics: Mapping[str, object] | None = None,
) -> None:
    """Write a folder that `edgetx compile` takes, whole, in place of what was there.

    Args:
        out: The folder.
        recipe_text: Contents of its recipe.toml.
        graph: Canonical float graph.
        calibration: Model inputs, N × input shape.
        plan: The quantization that the graph was trained with.
        metrics: Contents of metrics.json.

    Raises:
        EdgetxError: If the disk is full or not writable, or `out` holds something else.
    """
    with replaced_folder(out, MARKER) as folder, explained(out, OSError):
        (folder / MARKER).write_text(recipe_text, encoding="utf-8")
        save_graph(graph, folder / GRAPH)
        np.savez_compressed(folder / "calibration.npz", x=calibration.astype(np.float16))
        if plan is not None:
            (folder / PLAN).write_text(json.dumps(plan.to_json(), indent=2) + "\n", encoding="utf-8")
        if metrics is not None:
            (folder / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
