"""What tests of several areas share."""

import os
from pathlib import Path

import pytest
from compiled import compiled, own_copy  # noqa: F401
from recordings import make_recordings


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    """A small audio folder with a split by speaker."""
    return make_recordings(tmp_path / "recordings")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The shared data folder; tests that need it are skipped where it is absent."""
    folder = Path(os.environ.get("EDGETX_DATA") or Path(__file__).parents[2] / "shared" / "data")
    if not folder.is_dir():
        pytest.skip("no shared data; set EDGETX_DATA")
    return folder


def pytest_addoption(parser):
    parser.addoption("--update-golden", action="store_true", help="rewrite golden texts instead of comparing")


@pytest.fixture
def golden(request):
    """Compare a text with tests/golden/<module>/<test>.txt."""
    path = Path(__file__).parent / "golden" / request.module.__name__ / f"{request.node.name}.txt"

    def check(text: str) -> None:
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        assert path.exists(), f"{path.name} does not exist: run with --update-golden, then read it"
        assert text == path.read_text()

    return check
