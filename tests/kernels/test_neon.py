"""NEON kernels on an emulated 64-bit Arm core, bit for bit against the portable ones."""

import shutil
import subprocess
from pathlib import Path

import pytest
from host_kernels import KERNELS

pytestmark = pytest.mark.skipif(
    not (shutil.which("qemu-aarch64-static") and shutil.which("aarch64-linux-gnu-gcc")),
    reason="needs qemu-aarch64-static and aarch64-linux-gnu-gcc",
)
DOT_NAMES = ("fully_connected_dot_s8", "conv_2d_dot_s8")
NAMES = ("fully_connected_s8", "conv_2d_s8", "depthwise_conv_2d_s8", "average_pool_2d_s8", "add_s8", "attention_s8")


@pytest.mark.parametrize(("core", "folders"), [("cortex-a53", ["neon"]), ("cortex-a55", ["neon_dot", "neon"])])
def test_equal_to_the_portable_kernels(core: str, folders: list[str], tmp_path: Path) -> None:
    gcc = ["aarch64-linux-gnu-gcc", f"-mcpu={core}", "-O2", "-static", "-Wall", "-Wextra", "-Wconversion", "-Werror"]
    objects = []
    for name in NAMES:
        portable, fast = tmp_path / f"portable_{name}.o", tmp_path / f"{name}.o"
        source = KERNELS / f"{name}.c"
        subprocess.run(
            [*gcc, f"-Detx_{name}=portable_{name}", f"-I{KERNELS}", "-c", source, "-o", portable], check=True
        )
        # A kernel's own folder comes first when it includes a header, so the sources lie apart, as in generated C.
        flat = tmp_path / core
        flat.mkdir(exist_ok=True)
        for folder in [KERNELS, *(KERNELS / folder for folder in reversed(folders))]:
            for path in folder.glob("*.h"):
                shutil.copyfile(path, flat / path.name)
        shutil.copyfile(KERNELS / "neon" / f"{name}.c", flat / f"{name}.c")
        subprocess.run([*gcc, "-c", flat / f"{name}.c", "-o", fast], check=True)
        objects += [portable, fast]
    for name in DOT_NAMES if "neon_dot" in folders else ():
        shutil.copyfile(KERNELS / "neon_dot" / f"{name}.c", flat / f"{name}.c")
        subprocess.run([*gcc, "-c", flat / f"{name}.c", "-o", tmp_path / f"{name}.o"], check=True)
        objects.append(tmp_path / f"{name}.o")
    program = tmp_path / "program"
    main = Path(__file__).with_name("neon_main.c")
    subprocess.run([*gcc, f"-I{KERNELS}", main, *objects, "-o", program], check=True)
    listing = subprocess.run(["aarch64-linux-gnu-objdump", "-d", program], capture_output=True, text=True, check=True)
    assert ("sdot" in listing.stdout) == (core == "cortex-a55")
    done = subprocess.run(["qemu-aarch64-static", program], capture_output=True, text=True, check=False)
    assert done.stdout == "1500 cases equal\n", done.stdout
