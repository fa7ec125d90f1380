import csv
import json
import shutil

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner
from recordings import RATE, SPEAKERS, make_recordings
from tones import ENCODER, tones_recipe

from edgetx.cli import main
from edgetx.compiler import CompileOptions, compile_model
from edgetx.targets import load_target
from edgetx.train import train

RECIPE = tones_recipe(
    "keyword_transformer", f'{ENCODER}, norm = "batch", dropout = 0.0', epochs=8, batch=4, classes='["low", "_other_"]'
)


def run(*arguments):
    return CliRunner().invoke(main, [*map(str, arguments)], catch_exceptions=False)


@pytest.fixture(scope="module")
def spotter(tmp_path_factory):
    """A compiled spotter of low tones, and its recordings."""
    folder = tmp_path_factory.mktemp("spotter")
    recordings = make_recordings(folder / "recordings")
    table = recordings / "split.csv"
    table.write_text(table.read_text().replace(",high,", ",_other_,"))
    (folder / "tones.toml").write_text(RECIPE)
    train(folder / "tones.toml", recordings, folder / "model")
    options = CompileOptions(str(folder / "model"), load_target("nucleo-l4r5zi"), folder / "out", forms=("c",))
    compile_model(options)
    return folder / "out", recordings


def test_report_holds_figures_plots_and_predictions(spotter, tmp_path):
    artifact, recordings = spotter
    run("data", "stream", recordings, "-o", tmp_path / "tv.wav", "--minutes", "0.3")
    noise = tmp_path / "noise"
    noise.mkdir()
    soundfile.write(noise / "a.wav", 0.01 * np.random.default_rng(0).standard_normal(5 * RATE), RATE)
    out = tmp_path / "report"
    streams = ("--stream", tmp_path / "tv.wav", "--stream", noise)
    result = run("evaluate", artifact, "--data", recordings, "--report", out, *streams, "--json")
    printed = json.loads(result.stdout)
    written = json.loads((out / "evaluation.json").read_text())
    assert printed["report"] == written
    assert printed["n"] == 6
    assert written["runtime"] == "c"
    assert written["classification"]["accuracy"] == printed["accuracy"]["c"] == 1.0
    assert written["detection"]["equal_error_rate"] == 0.0
    assert written["streams"]["tv"]["keywords"] > 0
    assert min(point["miss_rate"] for point in written["streams"]["tv"]["points"]) < 0.5
    assert written["streams"]["tv"]["compiled"]["threshold"] == 0.8
    assert written["streams"]["noise"]["hours"] == pytest.approx(5 / 3600)
    for name in ("confusion", "det", "roc", "stream_tv", "stream_noise"):
        assert (out / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert f"{name}.png" in (out / "index.html").read_text()
    with (out / "predictions.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["answer"] for row in rows] == [row["label"] for row in rows]
    assert {row["speaker"] for row in rows} == {speaker for speaker, split in SPEAKERS.items() if split == "test"}


def test_report_for_people(spotter, tmp_path):
    artifact, recordings = spotter
    result = run(
        "evaluate", artifact, "--data", recordings, "--runtime", "int", "--split", "train", "--report", tmp_path / "r"
    )
    assert "2 speakers drawn anew" in result.stdout
    assert "equal error rate" in result.stdout
    assert (tmp_path / "r" / "speakers.png").is_file()


def test_what_cannot_be_evaluated(spotter, tmp_path):
    artifact, recordings = spotter
    assert "--stream needs --report" in run("evaluate", artifact, "--data", recordings, "--stream", "x.wav").output
    soundfile.write(tmp_path / "short.wav", np.zeros(100), RATE)
    for path, message in ((tmp_path / "short.wav", "too short for the model"), (tmp_path / "no.wav", "no such audio")):
        result = run("evaluate", artifact, "--data", recordings, "--report", tmp_path / "r", "--stream", path)
        assert result.exit_code == 1
        assert message in result.output
    assert not (tmp_path / "r").exists()
    shutil.copytree(recordings, tmp_path / "mine")
    result = run("evaluate", artifact, "--data", recordings, "--report", tmp_path / "mine")
    assert "not an earlier output" in result.output
