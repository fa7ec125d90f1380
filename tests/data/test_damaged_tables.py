"""Tables that are damaged in any way are refused, never a traceback."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgetx.audio.dataset import read_rows, read_table
from edgetx.data.check import check_folder
from edgetx.data.stream import read_events
from edgetx.errors import DataError
from edgetx.recipe import Data

GOOD = b"path,label,split\na.wav,low,train\nb.wav,high,test\n"
EVENTS = b"start_s,end_s,label\n0.5,1.0,low\n2,3,high\n"


def damaged(good):
    def change(draw_from):
        position, cut, junk = draw_from
        return good[: position % len(good)] + junk + good[(position + cut) % len(good) :]

    return st.tuples(st.integers(0, 200), st.integers(0, 20), st.binary(max_size=12)).map(change)


@settings(max_examples=150, deadline=None)
@given(damaged(GOOD) | st.binary(max_size=60))
def test_any_table_of_clips(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("table")
    (folder / "split.csv").write_bytes(content)
    for read in (read_rows, lambda f: read_table(f, Data(("low", "high"))), check_folder):
        with suppress(DataError):
            read(folder)


@settings(max_examples=150, deadline=None)
@given(damaged(EVENTS) | st.binary(max_size=60))
def test_any_table_of_events(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("events") / "e.csv"
    path.write_bytes(content)
    with suppress(DataError):
        assert all(isinstance(event.start_s, float) for event in read_events(path))


@pytest.mark.parametrize("row", ["a.wav", "a.wav,low,train,more", ",low,train"])
def test_rows_of_other_lengths(tmp_path, row):
    (tmp_path / "split.csv").write_text(f"path,label,split\n{row}\n")
    with pytest.raises(DataError, match="not as many values"):
        read_rows(tmp_path)
