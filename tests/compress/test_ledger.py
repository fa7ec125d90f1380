"""The ledger as a table, as JSON and as a page in a real browser."""

import json
import shutil
import subprocess

import pytest
from click.testing import CliRunner

from edgetx.cli import main
from edgetx.compress.html import write_ledger_page

STAGES = [
    {"name": "teacher </script>", "accuracy": 0.99, "interval_95": [0.98, 0.995], "parameters": 612_345},
    {"name": "pruned", "accuracy": 0.98, "interval_95": None, "parameters": 12_345, "macs": 1_234_567,
     "flash_bytes": 45_678, "ram_bytes": 9_876, "cycles": 2_345_678, "energy_uj": None},
]  # fmt: skip
FOUND = [
    {"options": {"width": 8}, "accuracy": 0.9, "cycles": 1_000_000, "over": 0.8},
    {"options": {"width": 16}, "accuracy": 0.95, "cycles": 3_456_789, "over": 1.4},
]


@pytest.mark.skipif(not shutil.which("chromium"), reason="needs chromium")
@pytest.mark.parametrize("found", [[], FOUND], ids=["no search", "search"])
def test_page_shows_the_figures(tmp_path, found):
    page = tmp_path / "ledger.html"
    write_ledger_page(page, "kws & more", STAGES, found)
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--v=0"]
    command += [f"--user-data-dir={tmp_path / 'profile'}", "--window-size=390,900", "--dump-dom", page.as_uri()]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert "CONSOLE" not in run.stderr
    for text in ("99.00 %", "98.0–99.5", "612,345", "2,345,678", "45,678", "9,876", "kws &amp; more"):
        assert text in run.stdout
    assert ("3,456,789 cycles" in run.stdout) == bool(found)
    assert run.stdout.count("<circle") == 2 + len(found)


def test_verb_reads_metrics_and_reports(tmp_path):
    (tmp_path / "metrics.json").write_text(json.dumps({"stages": STAGES}))
    arguments = ["ledger", str(tmp_path), "--html", str(tmp_path / "page.html")]
    shown = CliRunner().invoke(main, arguments)
    assert shown.exit_code == 0, shown.output
    assert "2 345 678" in shown.output
    assert (tmp_path / "page.html").is_file()
    (tmp_path / "report.json").write_text(json.dumps({"stages": STAGES[1:]}))
    shown = CliRunner().invoke(main, ["ledger", str(tmp_path), "--json"])
    assert [stage["name"] for stage in json.loads(shown.stdout)["stages"]] == ["pruned"]


@pytest.mark.parametrize("text", [None, "{", "[]", '{"stages": 3}', '{"stages": [{}]}'])
def test_a_folder_without_a_ledger_is_refused(tmp_path, text):
    if text is not None:
        (tmp_path / "metrics.json").write_text(text)
    shown = CliRunner().invoke(main, ["ledger", str(tmp_path)])
    assert shown.exit_code == 1
    assert str(tmp_path) in shown.stderr
