"""One small transformer to TFLite by three routes, side by side.

Run with the Python of edgetx's environment; the other routes get environments of their own under --work, made once:

    python benchmarks/stock_routes/run.py [--work build/stock_routes] [--write]
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from variants import TEST, VARIANTS

HERE = Path(__file__).resolve().parent
RESULTS = HERE.parent / "results" / "stock_routes.md"
TARGET = "nucleo-l4r5zi"
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "2"}
KERAS = ("tensorflow==2.21.0", "keras==3.15.1")
TORCH = ("torch==2.13.0",)  # on its own and first: a later resolution would fetch the CUDA build
LITERT = ("torch==2.13.0", "litert-torch==0.10.0", "ai-edge-quantizer==0.10.0", "ai-edge-litert==2.3.0")
TABLE_HEAD = (
    "| route | runs in TFLite Micro | ops | RESHAPE + TRANSPOSE | bytes | bytes / parameter | int8 against float | "
    "TFLM arena, bytes |\n|---|---|---:|---:|---:|---:|---:|---:|"
)


@dataclass(frozen=True)
class Route:
    """A way to a TFLite file; `make` gets the name of the variant, its folder and the file to write."""

    title: str
    stem: str
    make: Callable[[str, Path, Path], None]


def call(*command: str | Path) -> None:
    run = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    if run.returncode:
        sys.exit(f"failed: {' '.join(map(str, command))}\n{run.stdout}{run.stderr}")


def environment(folder: Path, *installs: tuple[str, ...]) -> Path:
    """The Python of a virtual environment with these packages."""
    python = folder / "bin" / "python"
    if not (folder / "done").exists():
        print(f"installing {', '.join(installs[-1])} in {folder}", flush=True)
        call(sys.executable, "-m", "venv", "--clear", folder)
        for packages in installs:
            call(python, "-m", "pip", "install", "--quiet", *packages)
        (folder / "done").touch()
    return python


def routes(work: Path) -> list[Route]:
    keras, litert = environment(work / "keras", KERAS), environment(work / "litert", TORCH, LITERT)

    def by_keras(*batch: str) -> Callable[[str, Path, Path], None]:
        return lambda name, folder, out: call(keras, HERE / "keras_route.py", name, folder, out, *batch)

    return [
        Route("Keras 3 + TensorFlow's converter", "keras", by_keras()),
        Route("the same, batch fixed to 1", "keras-batch-1", by_keras("1")),
        Route(
            "litert-torch + ai-edge-quantizer",
            "litert",
            lambda name, folder, out: call(litert, HERE / "litert_route.py", name, folder, out),
        ),
        Route("**edgetx**", "edgetx", by_edgetx),
    ]


def by_edgetx(name: str, folder: Path, out: Path) -> None:
    edgetx, compiled = Path(sys.executable).with_name("edgetx"), folder / "compiled"
    data = ("--data", folder / "calib.npz", "--target", TARGET, "--to", "tflite", "-o", compiled)
    call(edgetx, "compile", folder / "kwt.pt2", *data)
    call(edgetx, "run", compiled, "--input", folder / "test.npz", "--runtime", "tflm", "-o", folder / "logits.npz")
    out.write_bytes((compiled / "model.tflite").read_bytes())


def figures(path: Path, folder: Path) -> dict:
    command = (sys.executable, HERE / "measure.py", path, folder)
    run = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    if run.returncode:
        sys.exit(run.stderr)
    return json.loads(run.stdout.splitlines()[-1])


def row(title: str, found: dict) -> str:
    micro, kinds = found["micro"], found["kinds"]
    moved = kinds.get("RESHAPE", 0) + kinds.get("TRANSPOSE", 0)
    cells = (
        title,
        "yes" if micro["runs"] else f"no: {micro['error'].split(' | ')[0]}",
        found["ops"],
        moved,
        f"{found['bytes']:,}",
        f"{found['bytes_per_parameter']:.2f}",
        f"{found['litert_db']:.1f} dB",
        f"{micro['arena_bytes']:,}" if micro["runs"] else "",
    )
    return f"| {' | '.join(map(str, cells))} |"


def section(name: str, work: Path, all_routes: list[Route]) -> str:
    folder = work / name
    call(sys.executable, HERE / "prepare.py", name, folder)
    rows, kinds = [], []
    for route in all_routes:
        print(f"{name}: {route.stem}", flush=True)
        out = folder / f"{route.stem}.tflite"
        route.make(name, folder, out)
        found = figures(out, folder)
        if found["micro"]["runs"] and found["same_in_both"] != TEST:
            sys.exit(f"{out}: TFLite Micro and LiteRT agree on {found['same_in_both']} of {TEST} inputs only")
        rows.append(row(route.title, found))
        kinds.append(f"- {route.title}: {', '.join(f'{count} {kind}' for kind, count in found['kinds'].items())}")
    title = f"## {VARIANTS[name]} ({found['parameters']:,} parameters)"
    return "\n\n".join((title, "\n".join((TABLE_HEAD, *rows)), "Operators:", "\n".join(kinds)))


def report(work: Path) -> str:
    all_routes = routes(work)
    sections = [section(name, work, all_routes) for name in VARIANTS]
    packages = ("torch", "tflite-micro", "ai-edge-litert")
    ours = ", ".join(f"{package} {version(package)}" for package in packages)
    preface = f"""# Stock routes to TFLite Micro, and edgetx

A keyword transformer of 4 layers, 48 tokens of 40 features, d 40, MLP 80, 35 classes, with biases everywhere, GELU and
LayerNorm. Random weights: torch's own initialization, class token and positions normal with deviation 1, seed 0. The
same weights, the same 64 normal calibration inputs and 64 other test inputs in all routes. The decibels are the power
of torch's float logits over that of the differences, on the test inputs, of what LiteRT's reference kernels compute
from the int8 file: they run every file, and from edgetx's they compute the same bits as TFLite Micro. Arena: what
TFLite Micro's allocator uses on a 64-bit host.

Made by `python benchmarks/stock_routes/run.py --write` with {", ".join((*KERAS, *LITERT[1:]))};
measured with {ours}."""
    return "\n\n".join((preface, *sections)) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("build/stock_routes"), help="environments and files")
    parser.add_argument("--write", action="store_true", help=f"write {RESULTS.relative_to(HERE.parents[1])}")
    options = parser.parse_args()
    text = report(options.work.resolve())
    print(text)
    if options.write:
        RESULTS.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
