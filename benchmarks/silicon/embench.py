"""Embench-IoT on a simulated Cortex-M4 against silicon: `python benchmarks/silicon/embench.py CHECKOUT`.

CHECKOUT is embench/embench-iot at its tag embench-0.5. The silicon is in `targets/measurements/embench_iot.toml`.
"""

import argparse
import re
from pathlib import Path
from tempfile import TemporaryDirectory

from firmware import calls, compile_to_assembly, functions, shift, simulate

from edgetx.profile.measurements import load_measurements

OPTIONS = ("-O2", "-DCPU_MHZ=1", "-DWARMUP_HEAT=1", "-mfloat-abi=soft")
MAIN = "int main(void) { initialise_benchmark(); warm_caches(1); benchmark(); return !verify_benchmark(0); }\n"


def main() -> None:
    """Print cycles per repetition of every program with a published figure."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("checkout", type=Path)
    checkout = parser.parse_args().checkout
    print("| program | silicon | simulated | other layout |\n|---|---|---|---|")
    for measurement in load_measurements()["embench_iot"].measurement:
        name = measurement.runtime.split(",")[0]
        silicon = measurement.cycles
        usual, least, most = _cycles(checkout, name)
        row = [f"{cycles:.0f} ({cycles / silicon - 1:+.1%})" for cycles in (usual, least, most)]
        print(f"| {name} | {silicon} | {row[0]} | {row[1]} to {row[2]} |", flush=True)


def _cycles(checkout: Path, name: str) -> tuple[float, float, float]:
    """Cycles per repetition as built, and the least and the most with one function two bytes later."""
    sources = sorted((checkout / "src" / name).glob("*.c"))
    found = re.search(r"LOCAL_SCALE_FACTOR\s+(\d+)", "".join(source.read_text(errors="replace") for source in sources))
    if not found:
        raise SystemExit(f"no LOCAL_SCALE_FACTOR in {checkout / 'src' / name}")
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        start = folder / "start.c"
        start.write_text(MAIN, encoding="utf-8")
        includes = [f"-I{checkout / 'support'}", f"-I{checkout / 'src' / name}"]
        assembly = compile_to_assembly("cortex-m4", [*sources, start], [*OPTIONS, *includes], folder)
        layouts = [assembly, *(shift(assembly, function) for function in functions(assembly) if function != "main")]
        spent = [_run(layout, folder, int(found[1])) for layout in layouts]
    return spent[0], min(spent), max(spent)


def _run(assembly: list[str], folder: Path, repetitions: int) -> float:
    sim = simulate("cortex-m4", assembly, folder)
    for function in ("initialise_benchmark", "warm_caches"):
        sim.call(sim.symbol(function), 1)
    cycles, _ = calls(sim, "benchmark")
    if not sim.call(sim.symbol("verify_benchmark"), 0):
        raise SystemExit("the program computes something wrong")
    return cycles / repetitions


if __name__ == "__main__":
    main()
