"""A small hand-written model, run on the host for its golden cases."""

import ctypes
import zlib
from pathlib import Path

import pytest
from hand_written import MODEL, SIZE

from edgetx.firmware import TOOLCHAINS, GoldenCase, build_host_library


class HostModel:
    def __init__(self, library: Path):
        self.library = ctypes.CDLL(str(library))
        self.library.edgetx_input.restype = ctypes.c_void_p
        self.library.edgetx_output.restype = ctypes.c_void_p
        self.library.edgetx_reset()

    def __call__(self, x: bytes) -> bytes:
        ctypes.memmove(self.library.edgetx_input(0), x, SIZE)
        self.library.edgetx_invoke()
        return ctypes.string_at(self.library.edgetx_output(0), SIZE)


@pytest.fixture(scope="session")
def host_model(tmp_path_factory):
    return HostModel(build_host_library(MODEL, tmp_path_factory.mktemp("host") / "model.so"))


@pytest.fixture(scope="session")
def golden(host_model):
    inputs = [bytes((i * 37 + case * 11) % 256 for i in range(SIZE)) for case in range(5)]
    return [GoldenCase(x, zlib.crc32(host_model(x))) for x in inputs]


@pytest.fixture(params=TOOLCHAINS, ids=lambda t: t.name)
def toolchain(request):
    if not request.param.is_available():
        pytest.skip(f"{request.param.name} is not installed")
    return request.param
