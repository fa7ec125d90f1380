"""Figures of a TFLite file: operators, size, whether TFLite Micro runs it, and how near int8 is to float.

Usage: measure.py FILE.tflite FOLDER    (FOLDER as written by prepare.py; prints JSON)
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import tflite
from ai_edge_litert.interpreter import Interpreter, OpResolverType

NAMES = {code: name for name, code in vars(tflite.BuiltinOperator).items() if not name.startswith("_")}


def operators(model: bytes) -> Counter[str]:
    root = tflite.Model.GetRootAs(model)
    graph = root.Subgraphs(0)
    codes = [root.OperatorCodes(graph.Operators(i).OpcodeIndex()) for i in range(graph.OperatorsLength())]
    return Counter(NAMES.get(max(c.BuiltinCode(), c.DeprecatedBuiltinCode()), "?") for c in codes)


def micro(path: Path, test: Path) -> dict[str, object]:
    """TFLite Micro in a process of its own, because some refusals abort it."""
    with tempfile.NamedTemporaryFile(suffix=".npy") as out:
        command = [sys.executable, __file__, "--micro", str(path), str(test), out.name]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        if run.returncode:
            lines = [
                line for line in run.stderr.splitlines() if line and not line.startswith((" ", "Traceback", "WARN"))
            ]
            return {"runs": False, "error": " | ".join(dict.fromkeys(lines)) or f"exit {run.returncode}"}
        arena = {part: int(re.findall(rf"allocation {part} (\d+) bytes", run.stderr)[0]) for part in ("head", "tail")}
        return {"runs": True, "arena_bytes": sum(arena.values()), "logits": np.load(out.name)}


def run_micro(path: Path, test: Path, out: Path) -> None:
    from tflite_micro.python.tflite_micro import runtime

    interpreter = runtime.Interpreter.from_file(str(path), arena_size=64 << 20)
    entry, result = interpreter.get_input_details(0), interpreter.get_output_details(0)
    logits = []
    for x in np.load(test)["in0_seq"]:
        interpreter.set_input(quantized(x, entry), 0)
        interpreter.invoke()
        logits.append(real(interpreter.get_output(0), result))
    interpreter.print_allocations()
    np.save(out, np.concatenate(logits))


def run_litert(path: Path, test: Path) -> np.ndarray:
    interpreter = Interpreter(str(path), experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
    interpreter.allocate_tensors()
    (entry,), (result,) = interpreter.get_input_details(), interpreter.get_output_details()
    logits = []
    for x in np.load(test)["in0_seq"]:
        interpreter.set_tensor(entry["index"], quantized(x, entry))
        interpreter.invoke()
        logits.append(real(interpreter.get_tensor(result["index"]), result))
    return np.concatenate(logits)


def quantized(x: np.ndarray, detail: dict) -> np.ndarray:
    if detail["dtype"] == np.float32:
        return x
    scale, zero_point = parameters(detail)
    limits = np.iinfo(detail["dtype"])
    return np.clip(np.round(x / scale) + zero_point, limits.min, limits.max).astype(detail["dtype"])


def real(y: np.ndarray, detail: dict) -> np.ndarray:
    if y.dtype == np.float32:
        return y
    scale, zero_point = parameters(detail)
    return ((y.astype(np.float64) - zero_point) * scale).astype(np.float32)


def parameters(detail: dict) -> tuple[float, int]:
    quant = detail["quantization_parameters"]
    return float(quant["scales"][0]), int(quant["zero_points"][0])


def decibels(expected: np.ndarray, found: np.ndarray) -> float:
    """Power of the float logits over that of the differences."""
    error = expected.astype(np.float64) - found.reshape(expected.shape)
    return float(10 * np.log10((expected.astype(np.float64) ** 2).sum() / (error**2).sum()))


def measure(path: Path, folder: Path) -> dict[str, object]:
    test = folder / "test.npz"
    parameters = sum(array.size for array in np.load(folder / "weights.npz").values())
    kinds = operators(path.read_bytes())
    litert, in_micro = run_litert(path, test), micro(path, test)
    logits = in_micro.pop("logits", None)
    size = path.stat().st_size
    return {
        "parameters": parameters,
        "ops": sum(kinds.values()),
        "kinds": dict(kinds.most_common()),
        "bytes": size,
        "bytes_per_parameter": size / parameters,
        "litert_db": decibels(np.load(test)["logits"], litert),
        "micro": in_micro,
        "same_in_both": None if logits is None else int((logits == litert).all(1).sum()),
    }


if __name__ == "__main__":
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
    if sys.argv[1] == "--micro":
        run_micro(*map(Path, sys.argv[2:5]))
    else:
        print(json.dumps(measure(Path(sys.argv[1]), Path(sys.argv[2]))))
