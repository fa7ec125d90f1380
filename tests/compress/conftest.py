"""A trained model of two tones, small enough for every test."""

import pytest
from compressing import RECIPE
from recordings import make_recordings

from edgetx.train import train


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("EDGETX_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="session")
def tones(tmp_path_factory):
    """The audio folder and a model folder trained on it."""
    folder = tmp_path_factory.mktemp("tones")
    recordings = make_recordings(folder / "recordings")
    (folder / "recipe.toml").write_text(RECIPE)
    train(folder / "recipe.toml", recordings, folder / "model")
    return recordings, folder / "model"
