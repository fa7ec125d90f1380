"""Keras models, SavedModels and frozen graphs to float graphs, through TensorFlow's own converter to TFLite.

TensorFlow runs in a process of its own, by default with this Python. `EDGETX_TENSORFLOW` names the Python of another
environment, since TensorFlow's releases pin other versions of NumPy and protobuf than what else is installed.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from edgetx.errors import ModelError, ToolchainError
from edgetx.frontends import tensorflow_export
from edgetx.frontends.agreement import is_wrong, ratio_db
from edgetx.frontends.tflite import import_tflite
from edgetx.ir import Graph
from edgetx.reference import execute

PYTHON = "EDGETX_TENSORFLOW"
"""Environment variable that names the Python with TensorFlow."""
HINTS: Mapping[str, str] = {
    "TensorListReserve": "save it as .keras, or export it with a batch size of 1",
    "deserialized": "layers of your own are kept by a SavedModel: model.export(FOLDER)",
    "Unknown layer": "layers of your own are kept by a SavedModel: model.export(FOLDER)",
    "TensorArrayV3": "loops of TensorFlow 1 have no TFLite form: write the model for TensorFlow 2, or without a loop",
    tensorflow_export.NO_NUMBERS: "begin behind it: --set input.NODE=SHAPE, with the batch of 1, as input.Mfcc=1,49,10",
    tensorflow_export.OPEN_AXES: "fix it: --set input.NAME=SIZE, with commas where several axes are open",
}
"""By what TensorFlow's refusal contains: a recurrent layer in a SavedModel of open batch size, an open shape."""


def load_keras(path: Path, sizes: Mapping[str, str] | None = None) -> Graph:
    """Read a `.keras` or `.h5` file, a frozen graph, or the folder of a SavedModel; the batch is fixed to 1.

    Args:
        path: The file or folder.
        sizes: Sizes of the open axes of inputs, in order and with commas between them, by name of the input.

    Raises:
        ToolchainError: If TensorFlow is not installed.
        ModelError: If TensorFlow cannot read or convert the model, or computes something else than what was imported.
        UnsupportedOpError: If it contains an operator without integer form.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _export(path, folder, sizes or {})
        graph = import_tflite((folder / "model.tflite").read_bytes(), path.stem)
        _compare(graph, folder / "cases.npz", path)
    return graph


def _export(path: Path, folder: Path, sizes: Mapping[str, str]) -> None:
    python = os.environ.get(PYTHON) or sys.executable
    script = shutil.copy(tensorflow_export.__file__, folder / "export.py")
    try:
        run = subprocess.run(
            [python, str(script), str(path.resolve()), str(folder), *(f"{name}={n}" for name, n in sizes.items())],
            capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": ""},
        )  # fmt: skip
    except OSError as problem:
        raise ToolchainError(f"cannot run {python}: {problem}", where=PYTHON) from problem
    if run.returncode == tensorflow_export.WITHOUT_TENSORFLOW:
        raise ToolchainError(
            "Keras models are read by TensorFlow, which is not installed",
            where=python,
            hint="pip install 'edgetx[tensorflow]'; or, in an environment of its own: python -m venv tf && "
            f"tf/bin/pip install tensorflow && export {PYTHON}=tf/bin/python",
        )
    if run.returncode:
        lines = run.stderr.strip().splitlines() or [f"exit status {run.returncode}"]
        hint = next((hint for sign, hint in HINTS.items() if sign in run.stderr), "")
        raise ModelError(f"TensorFlow cannot convert it: {lines[-1]}", where=str(path), hint=hint)


def _compare(graph: Graph, cases: Path, path: Path) -> None:
    """Hold the graph to what TensorFlow computes; several outputs have an order of their own in the file."""
    with np.load(cases) as file:
        arrays = dict(file)
    if len(graph.outputs) != 1 or sum(name.startswith("out") for name in arrays) != 1:
        return
    shapes = [value.shape for value in graph.inputs]
    inputs = [arrays[f"in{i}"] for i in range(len(shapes))]
    if len(shapes) > 1 and len({x.shape for x in inputs}) == len(inputs):
        inputs = [next(x for x in inputs if x.shape == shape) for shape in shapes]
    (found,) = execute(graph, inputs)
    ratio = ratio_db(arrays["out0"].reshape(found.shape), found)
    if is_wrong(ratio, "float"):
        raise ModelError(
            f"imported wrong: {ratio:.1f} dB between what TensorFlow computes and the imported graph",
            where=str(path),
            hint="please report this model",
        )
