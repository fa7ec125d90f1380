"""Generated C on this machine."""

import pytest
from hand_written import MODEL, SIZE

from edgetx.errors import ToolchainError
from edgetx.firmware import build_host_library


def test_it_computes(host_model):
    host_model.library.edgetx_reset()
    assert host_model(bytes(SIZE)) == bytes(SIZE)
    assert host_model(bytes([70] * SIZE))[0] in (70 * 3 // 7, 70 * 3 // 5)


def test_undefined_behaviour_is_checked(tmp_path):
    library = build_host_library(MODEL, tmp_path / "model.so", sanitizers=["undefined"])
    assert b"__ubsan" in library.read_bytes()


def test_refused_sources_leave_nothing(tmp_path):
    (tmp_path / "bad.c").write_text("int f(long x) { return x; }")
    with pytest.raises(ToolchainError, match=r"bad\.c:1"):
        build_host_library(tmp_path, tmp_path / "bad.so")
    assert [p.name for p in tmp_path.iterdir()] == ["bad.c"]
