"""Programs for phones: one static binary that runs on any 64-bit Arm Linux or Android."""

import importlib.util
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from edgetx.errors import TargetError, ToolchainError
from edgetx.firmware.board import board_header
from edgetx.firmware.build import RUNTIME, image_id
from edgetx.firmware.golden import GoldenAudio, GoldenCase, golden_source
from edgetx.firmware.toolchain import WARNINGS, run_tool
from edgetx.targets import Target

LINUX = Path(__file__).parent / "linux"
_SHARED = ("etx_golden_main.c", "etx_service.c")


def build_phone_program(
    sources: Path,
    target: Target,
    program: Path,
    golden: Sequence[GoldenCase] = (),
    *,
    audio: GoldenAudio | None = None,
    compiler: Sequence[str] = (),
    optimization: str = "-O2",
) -> Path:
    """Compile generated C into a static program that checks itself, or serves a host with `--serve`.

    Args:
        sources: Folder with `model.h` and all C files of the model.
        target: A phone.
        program: Where the program goes; nothing is left there on failure.
        golden: What it runs and checks.
        audio: What it checks the front end with, if there is one among the sources.
        compiler: Command of a C compiler; by default one for 64-bit Arm Linux.
        optimization: Optimization option of the compiler.

    Raises:
        TargetError: If the target is not a phone.
        ToolchainError: If no compiler is installed, or it refuses the sources.
    """
    if target.kind != "phone":
        raise TargetError(f"no program is built for a {target.kind}", where=target.name)
    command = list(compiler) or [*phone_compiler(), *_core_flags(target)]
    program.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=program.parent, prefix=".program-") as name:
        folder = Path(name)
        (folder / "etx_board.h").write_text(board_header(target, image_id(sources)), encoding="utf-8")
        (folder / "etx_golden.c").write_text(golden_source(golden, audio or GoldenAudio()), encoding="utf-8")
        files = [*sorted(sources.glob("*.c")), *(RUNTIME / n for n in _SHARED), LINUX / "etx_linux.c"]
        # The runtime's string.h is for firmware alone: here the C library's comes first.
        includes = [f"-I{sources}", f"-I{folder}", "-idirafter", str(RUNTIME)]
        options = ["-std=gnu11", "-static", "-g", *WARNINGS, optimization, *includes]
        for n, file in enumerate([*files, folder / "etx_golden.c"]):
            rename = ["-Dmain=etx_self_check"] if file.name == "etx_golden_main.c" else []
            run_tool([*command, *options, *rename, "-c", str(file), "-o", str(folder / f"{n}.o")])
        objects = sorted(map(str, folder.glob("*.o")))
        run_tool([*command, "-static", *objects, "-o", str(folder / "program")])
        return (folder / "program").replace(program)


def phone_compiler() -> list[str]:
    """Command of a C compiler for 64-bit Arm Linux.

    Raises:
        ToolchainError: If there is none.
    """
    if path := shutil.which("aarch64-linux-gnu-gcc"):
        return [path]
    if importlib.util.find_spec("ziglang"):
        return [sys.executable, "-m", "ziglang", "cc", "-target", "aarch64-linux-musl"]
    raise ToolchainError(
        "no compiler for 64-bit Arm Linux is installed",
        hint="apt install gcc-aarch64-linux-gnu, or pip install 'edgetx[firmware]' for ziglang",
    )


def _core_flags(target: Target) -> list[str]:
    return [f"-mcpu={target.core.replace('-', '_') if 'zig' in ' '.join(phone_compiler()) else target.core}"]
