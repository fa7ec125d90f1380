"""The compiled kernels touch no byte outside their tensors."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from host_kernels import COMPILER


def address_sanitizer() -> str:
    """The run-time that has to be in the process before everything else."""
    command = [COMPILER, "-print-file-name=libasan.so"]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    path = Path(found.stdout.strip())
    if not path.is_absolute():
        pytest.skip("the compiler has no address sanitizer")
    return str(path)


@pytest.mark.slow
@pytest.mark.toolchain
def test_kernels_stay_within_their_tensors() -> None:
    environment = {
        **os.environ,
        "LD_PRELOAD": address_sanitizer(),
        "ASAN_OPTIONS": "detect_leaks=0",
        "PYTHONMALLOC": "malloc",
        "PYTHONPATH": str(Path(__file__).parents[1]),
        "EDGETX_TEST_SANITIZERS": "address,undefined",
    }
    cases = str(Path(__file__).with_name("test_cases.py"))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--noconftest", "-k", "kernel", cases]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
