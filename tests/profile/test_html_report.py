"""The HTML report in a real browser: no console error, and the figures of the JSON on the page."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from edgetx.profile.html import profile_html, write_html

PROFILE = {
    "schema": 1,
    "target": "nucleo-l4r5zi",
    "core": "cortex-m4",
    "clock_hz": 120_000_000,
    "engine": "simulate",
    "cycles": 1_234_567,
    "instructions": 987_654,
    "latency_us": 10288.06,
    "energy_uj": 433.3,
    "validation": {"cases": 4, "mape": 0.021, "worst": 0.038, "source": "silicon & <b>boards</b>"},
    "stack_bytes": 512,
    "stalls": {"issue": 1_000_000, "memory": 234_567},
    "memory": [{"region": "sram", "read_bytes": 5_000, "written_bytes": 700}],
    "layers": [
        {
            "name": "embed</script>",
            "op": "conv_2d",
            "cycles": 900_000,
            "instructions": 1,
            "macs": 450_000,
            "stalls": {},
        },
        {
            "name": "head",
            "op": "fully_connected",
            "cycles": 334_567,
            "instructions": 1,
            "macs": 0,
            "stalls": {"issue": 9},
        },
    ],
    "functions": [
        {"name": "etx_conv_2d_s8", "cycles": 890_000, "instructions": 1, "total_cycles": 890_000, "calls": 3}
    ],
    "lines": [{"file": "conv_2d_s8.c", "line": 14, "cycles": 800_000}],
}

browser = pytest.mark.skipif(not shutil.which("chromium"), reason="needs chromium")


@browser
@pytest.mark.parametrize("width", [390, 1280])
def test_page_shows_the_figures_of_the_profile(tmp_path: Path, width: int) -> None:
    page = tmp_path / "profile.html"
    write_html(PROFILE, "kws", page)
    run = subprocess.run(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--v=0",
         f"--window-size={width},900", "--dump-dom", page.as_uri()],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert "CONSOLE" not in run.stderr
    text = run.stdout.split("<script", 1)[0]
    for shown in ("1,234,567", "987,654", "900,000", "2.00 per MAC", "10.288", "etx_conv_2d_s8", "conv_2d_s8.c:14"):
        assert shown in text
    assert "mean error 2.1 %, worst 3.8 % over 4 measurements" in text
    assert "embed&lt;/script&gt;" in text


def test_page_carries_the_whole_profile() -> None:
    page = profile_html(PROFILE, "kws")
    data = page.split('id="data">', 1)[1].split("</script>", 1)[0]
    assert json.loads(data.replace("<\\/", "</"))["profile"] == PROFILE


def test_page_needs_nothing_from_outside() -> None:
    page = profile_html(PROFILE, "kws")
    assert "http://" not in page
    assert "https://" not in page
    assert "@@" not in page
