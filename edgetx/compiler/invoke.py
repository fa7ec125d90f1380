"""Run a compiled model on arrays from an `.npz`."""

from collections.abc import Mapping
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from edgetx.compiler.artifact import Artifact
from edgetx.errors import DataError
from edgetx.ir import Array, Arrays, Value
from edgetx.output import explained
from edgetx.runtimes.runtime import Runtime


def run_file(artifact: Artifact, runtime: str, inputs: Path, out: Path) -> None:
    """Run on `in0 …` (once) or `in0_seq …` (a step per leading index) and write `out0 …` or `out0_seq …`.

    Raises:
        DataError: If the file cannot be read or lacks an input.
    """
    arrays = _load(inputs)
    names = [f"in{i}" for i in range(len(artifact.graph.inputs))]
    stepwise = all(f"{name}_seq" in arrays for name in names)
    keys = [f"{name}_seq" for name in names] if stepwise else names
    missing = [key for key in keys if key not in arrays]
    if missing:
        raise DataError(f"no array '{missing[0]}'", where=str(inputs), hint=f"arrays present: {', '.join(arrays)}")
    opened = artifact.runtime(runtime)
    steps = zip(*(arrays[key] for key in keys), strict=True) if stepwise else [tuple(arrays[key] for key in keys)]
    results = [invoke(artifact, opened, step) for step in steps]
    with explained(out, OSError), out.open("wb") as file:
        np.savez(file, **_named(results, stepwise))  # type: ignore[arg-type]


def invoke(artifact: Artifact, runtime: Runtime, inputs: Arrays) -> Arrays:
    """One invocation: real inputs give real outputs, integers give integers."""
    shaped = tuple(_checked(x, v) for x, v in zip(inputs, artifact.graph.inputs, strict=True))
    if runtime.name == "float":
        return runtime.run(shaped)
    outputs = runtime.run(artifact.quantized(shaped))
    return artifact.restored(outputs) if shaped[0].dtype.kind == "f" else outputs


def _checked(x: Array, value: Value) -> Array:
    """An input in the model's shape; integers in the model's type."""
    if x.size != value.type.size:
        raise DataError(f"shape {x.shape}, the model takes {value.shape}", where=value.name)
    if x.dtype.kind == "f":
        if not np.isfinite(x).all():
            raise DataError("has values that are not numbers", where=value.name)
        return x.reshape(value.shape)
    if x.dtype.kind not in "iu" or (x.size and not value.type.qmin <= x.min() <= x.max() <= value.type.qmax):
        raise DataError(f"{x.dtype} values that are not {value.type.dtype}", where=value.name)
    return x.reshape(value.shape).astype(value.type.dtype)


def _named(results: list[Arrays], stepwise: bool) -> Mapping[str, Array]:
    if stepwise:
        return {f"out{i}_seq": np.stack(outputs) for i, outputs in enumerate(zip(*results, strict=True))}
    return {f"out{i}": output for i, output in enumerate(results[0])}


def _load(path: Path) -> dict[str, Array]:
    try:
        with np.load(path) as file:
            return {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, BadZipFile) as problem:
        raise DataError(f"not readable as .npz: {problem}", where=str(path)) from problem
