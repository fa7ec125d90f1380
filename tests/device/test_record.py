"""What becomes part of a core's validation line."""

import pytest
from click.testing import CliRunner

from edgetx.cli import main


@pytest.mark.parametrize("url", ["tcp:localhost:5555", "serial:/dev/pts/3"])
def test_emulators_are_not_recorded(url, tmp_path):
    arguments = ["--target", "mps2-an386", "--engine", "device", "--device", url, "--record"]
    result = CliRunner().invoke(main, ["profile", str(tmp_path), *arguments])
    assert result.exit_code == 3
    assert "emulator" in result.output
    assert "--record-to DIR" in result.output
