"""`python -m edgetx.profile.validate`: measured images against the simulator."""

import json
import subprocess
import sys
from pathlib import Path

from firmware import build, needs_toolchain

PROGRAM = """
uint32_t work(void) { uint32_t s = 0; for (volatile int i = 0; i < 100; i++) s += i; return s; }
void reset(void) { while (!(REG(0x40001000) & 1)) {} work(); finish(0); }
"""
SCRIPT = "def attach(sim):\n    sim.map_mmio(0x40001000, 4, lambda offset, size: 1, lambda offset, size, value: None)\n"


def run(folder: Path) -> tuple[int, dict[str, object]]:
    command = [sys.executable, "-m", "edgetx.profile.validate", str(folder), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, json.loads(done.stdout or "{}")


@needs_toolchain
def test_reports_errors_by_image_and_core(tmp_path: Path) -> None:
    build("nucleo-l4r5zi", PROGRAM, tmp_path)
    (tmp_path / "board.py").write_text(SCRIPT)
    common = 'image = "firmware.elf"\ntarget = "nucleo-l4r5zi"\n'
    (tmp_path / "called.toml").write_text(common + 'call = "work"\ncycles = 1500\n')
    (tmp_path / "whole.toml").write_text(common + 'peripherals = "board.py"\nbegin = "work"\ncycles = 1500\n')
    (tmp_path / "broken.toml").write_text(common + "cycles = 1500\n")
    code, result = run(tmp_path)
    rows = {row["name"]: row for row in result["cases"]}
    assert code == 1
    assert "polls register 0x40001000" in rows["broken"]["problem"]
    assert abs(rows["called"]["simulated"] - rows["whole"]["simulated"]) < 30
    error = rows["called"]["simulated"] / 1500 - 1
    assert rows["called"]["error"] == error
    assert result["cores"]["cortex-m4"]["cases"] == 2


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    assert run(tmp_path) == (3, {})
