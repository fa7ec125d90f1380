"""Who may import what: layers point downwards, heavy packages stay at their border, `--help` stays light."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "edgetx"

LAYERS = (
    {"__init__", "__version__", "errors", "resources"},
    {"config", "output", "page"},
    {"fixedpoint", "fixedpoint16", "fixedpoint_math", "ir", "legendre"},
    {"ops"},
    {"reference"},
    {"passes", "quant", "plan", "targets", "recipe", "audio", "decision", "evaluation", "nn"},
    {"data", "frontends", "train"},
    {"backends", "firmware", "profile", "device"},
    {"flash"},
    {"runtimes"},
    {"compiler"},
    {"compress"},
    {"cli"},
    {"__main__"},
)
"""From the bottom up; a module may import its own layer and those below."""

BORDERS = {
    "ai_edge_litert": ("runtimes/litert.py",),
    "capstone": ("profile/", "firmware/stack.py"),
    "click": ("cli/",),
    "elftools": ("profile/", "firmware/"),
    "espeakng_loader": ("data/synth/speak.py",),
    "flatbuffers": ("backends/tflite/", "frontends/tflite"),
    "google": ("backends/onnx/", "frontends/onnx/"),
    "lightning_fabric": ("train/",),
    "matplotlib": ("audio/plots.py", "evaluation/plots.py"),
    "nir": ("frontends/nir.py",),
    "onnx": ("backends/onnx/", "frontends/onnx"),
    "onnxruntime": ("runtimes/onnxruntime.py",),
    "pooch": ("data/download.py",),
    "requests": ("data/download.py",),
    "optuna": ("compress/search.py",),
    "rich": ("cli/",),
    "safetensors": ("nn/", "train/"),
    "scipy": ("data/", "train/metrics.py"),
    "soundfile": ("audio/", "data/"),
    "tensorflow": ("frontends/tensorflow_export.py",),
    "tflite": ("backends/tflite/", "frontends/tflite", "runtimes/tflm.py"),
    "tflite_runtime": ("runtimes/litert.py",),
    "tflite_micro": ("runtimes/tflm.py",),
    "torch": ("nn/", "train/", "frontends/torch/", "compress/"),
    "unicorn": ("profile/",),
}
"""Where each third-party package may be imported, by the beginning of the path; numpy may be anywhere."""

MODULES = sorted(PACKAGE.rglob("*.py"))


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Line and full name of every import in a file: at the top, inside functions, and by name as a string."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            yield node.lineno, f"{node.module}.{node.names[0].name}"
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "import_runtime")):
            strings = (a.value for a in node.args if isinstance(a, ast.Constant))
            yield from ((node.lineno, str(string)) for string in strings)


def layer(part: str) -> int:
    found = [i for i, parts in enumerate(LAYERS) if part in parts]
    assert len(found) == 1, f"edgetx.{part} needs one place in LAYERS"
    return found[0]


def name(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_imports_point_downwards(path: Path) -> None:
    part = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    upwards = [
        f"line {line}: {module}"
        for line, module in imported(path)
        if module.startswith("edgetx.") and layer(module.split(".")[1]) > layer(part)
    ]
    assert not upwards


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_packages_stay_at_their_border(path: Path) -> None:
    own = {*sys.stdlib_module_names, "edgetx", "numpy"}
    outside = [
        f"line {line}: {module}"
        for line, module in imported(path)
        if (package := module.split(".")[0]) not in own and not name(path).startswith(BORDERS[package])
    ]
    assert not outside


def test_every_border_is_still_crossed_somewhere() -> None:
    used = {module.split(".")[0] for path in MODULES for _, module in imported(path)}
    assert set(BORDERS) <= used


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["doctor", "--help"], ["list", "--help"]])
def test_help_loads_neither_numpy_nor_torch(arguments: list[str]) -> None:
    script = f"""
import sys
from edgetx.cli import main
try:
    main({arguments})
except SystemExit as end:
    assert end.code == 0
print(sorted({{"numpy", "torch", "onnx"}} & set(sys.modules)))
"""
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert shown.stdout.splitlines()[-1] == "[]"
