"""The service of the firmware, as a program of this machine."""

import shutil
from pathlib import Path

import pytest

from edgetx.device.streams import ProcessStream
from edgetx.firmware import build_host_library
from edgetx.firmware.phone import build_phone_program
from edgetx.targets import load_target

MODEL = Path(__file__).parents[1] / "firmware" / "model"
COMPILER = ("gcc", "-fsanitize=undefined", "-fsanitize-undefined-trap-on-error")


@pytest.fixture(scope="session")
def program(tmp_path_factory) -> Path:
    """The hand-written model of tests/firmware with the real service, undefined behaviour trapped."""
    if not shutil.which("gcc"):
        pytest.skip("needs gcc")
    folder = tmp_path_factory.mktemp("service")
    return build_phone_program(MODEL, load_target("phone-cortex-a55"), folder / "program", compiler=COMPILER)


@pytest.fixture
def stream(program):
    opened = ProcessStream([str(program), "--serve"], "program")
    yield opened
    opened.close()


@pytest.fixture
def host_model(tmp_path_factory):
    import ctypes

    library = ctypes.CDLL(str(build_host_library(MODEL, tmp_path_factory.mktemp("host") / "model.so")))
    library.edgetx_input.restype = library.edgetx_output.restype = ctypes.c_void_p
    library.edgetx_reset()

    def run(x: bytes) -> bytes:
        ctypes.memmove(library.edgetx_input(0), x, len(x))
        library.edgetx_invoke()
        return ctypes.string_at(library.edgetx_output(0), len(x))

    return run
