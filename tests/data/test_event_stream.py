from itertools import pairwise

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner
from recordings import RATE

from edgetx.audio import read_clip
from edgetx.cli import main
from edgetx.data.stream import Mix, make_stream, read_events
from edgetx.errors import DataError

CLIPS = [(np.full(4000, 1000 * (i + 1), np.int16), f"word{i}", f"s{i}", f"{i}.wav") for i in range(5)]


def test_same_seed_same_bits():
    a, placed = make_stream(CLIPS, [], 30, RATE, Mix(seed=3))
    b, again = make_stream(CLIPS, [], 30, RATE, Mix(seed=3))
    np.testing.assert_array_equal(a, b)
    assert placed == again
    assert placed != make_stream(CLIPS, [], 30, RATE, Mix(seed=4))[1]


def test_every_clip_comes_before_one_comes_again():
    _, placed = make_stream(CLIPS, [], 30, RATE, Mix(gap_low_s=0.1, gap_high_s=0.2))
    assert len(placed) > 60
    for start in range(0, 50, 5):
        assert len({p.label for p in placed[start : start + 5]}) == 5


def test_clips_lie_where_the_table_says():
    audio, placed = make_stream(CLIPS, [], 20, RATE, Mix(snr_db=40, noise_db=-60))
    assert len(audio) == 20 * RATE
    inside = np.zeros(len(audio), bool)
    for p in placed:
        inside[p.start : p.start + p.length] = True
    level = audio.astype(float) ** 2
    assert 10 * np.log10(level[inside].mean() / level[~inside].mean()) == pytest.approx(40, abs=0.5)
    gaps = [(b.start - a.start - a.length) / RATE for a, b in pairwise(placed)]
    assert 0.5 <= min(gaps) <= max(gaps) <= 3.0


def test_noise_goes_on_without_a_hole():
    noise = [np.random.default_rng(0).integers(-500, 500, 3 * RATE).astype(np.int16)]
    audio, placed = make_stream([], noise, 10, RATE, Mix(noise_db=-40))
    assert placed == []
    frames = audio.reshape(-1, 1600).astype(float)
    assert np.sqrt((frames**2).mean(axis=1)).min() == pytest.approx(327.68, rel=0.2)


def test_command_writes_recording_and_events(recordings, tmp_path):
    out = tmp_path / "stream.flac"
    result = CliRunner().invoke(main, ["data", "stream", str(recordings), "-o", str(out), "--minutes", "0.5"])
    assert result.exit_code == 0, result.output
    events = read_events(tmp_path / "stream.csv")
    assert {event.label for event in events} == {"low", "high"}
    assert len(read_clip(out, RATE)) == 30 * RATE
    assert all(event.end_s - event.start_s == pytest.approx(0.25, abs=1e-3) for event in events)


def test_problems_are_named(recordings, tmp_path):
    def run(*more):
        return CliRunner().invoke(main, ["data", "stream", str(recordings), "-o", str(tmp_path / "s.wav"), *more])

    assert "no clips in split 'none'" in run("--split", "none").output
    assert "no .wav or .flac recordings" in run("--noise", str(tmp_path)).output
    assert CliRunner().invoke(main, ["data", "stream", str(recordings), "-o", "s.mp3"]).exit_code == 2
    soundfile.write(tmp_path / "n.wav", np.zeros(10), RATE)


@pytest.mark.parametrize(
    "text", ["", "start_s,end_s\n1,2\n", "start_s,end_s,label\na,2,x\n", "start_s,end_s,label\n1\n"]
)
def test_tables_of_events_that_are_none(tmp_path, text):
    (tmp_path / "e.csv").write_text(text)
    if text:
        with pytest.raises(DataError, match="not a table of events"):
            read_events(tmp_path / "e.csv")
    else:
        assert read_events(tmp_path / "e.csv") == []
