"""Every toolchain takes every kernel of every core, without a warning."""

import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest

from edgetx.firmware import TOOLCHAINS
from edgetx.firmware.build import RUNTIME
from edgetx.firmware.toolchain import WARNINGS, run_tool
from edgetx.plan import KERNELS_DIR, kernel_headers
from edgetx.targets import list_targets

BOARDS = {(target.core, *target.kernels): target for target in list_targets() if target.kind == "mcu"}


@pytest.mark.toolchain
@pytest.mark.parametrize("toolchain", [t for t in TOOLCHAINS if t.is_available()], ids=lambda t: t.name)
@pytest.mark.parametrize("target", BOARDS.values(), ids=lambda t: t.core)
def test_kernels_compile(toolchain, target, tmp_path):
    for header in kernel_headers(target.kernels).values():
        shutil.copy(header, tmp_path)
    folders = [KERNELS_DIR / name for name in target.kernels if name != "portable"] + [KERNELS_DIR]
    options = [*WARNINGS, "-std=c11", "-ffreestanding", "-O1", f"-I{tmp_path}", f"-I{RUNTIME}", "-c", "-o", "/dev/null"]
    command = [*toolchain.compile_command(target), *options]
    kernels = [kernel for folder in folders for kernel in sorted(folder.glob("*.c"))]
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda kernel: run_tool([*command, str(kernel)]), kernels))
    assert len(kernels) > 50
