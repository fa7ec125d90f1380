"""Generated C as a library for this machine, to run it from Python."""

import importlib.util
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from edgetx.errors import ToolchainError
from edgetx.firmware.toolchain import WARNINGS, run_tool

_OPTIONS = ("-std=c11", "-g", "-shared", "-fPIC")


def build_host_library(
    sources: Path, library: Path, *, optimization: str = "-O2", sanitizers: Sequence[str] = ()
) -> Path:
    """Compile every C file of a folder into a shared library.

    Args:
        sources: Folder of generated C.
        library: Where the library goes; nothing is left there on failure.
        optimization: Optimization option of the compiler.
        sanitizers: Such as `address` and `undefined`; address needs its run-time loaded first into Python.

    Returns:
        The path of the library.

    Raises:
        ToolchainError: If no compiler is installed, or it refuses the sources.
    """
    files = map(str, sorted(sources.glob("*.c")))
    checks = [f"-fsanitize={','.join(sanitizers)}", "-fno-sanitize-recover=all"] if sanitizers else []
    unfinished = library.with_name(f".{library.name}.part")
    library.parent.mkdir(parents=True, exist_ok=True)
    options = [*_OPTIONS, *WARNINGS, optimization, *checks, f"-I{sources}", "-o", str(unfinished)]
    run_tool([*host_compiler(), *options, *files])
    return unfinished.replace(library)


def host_compiler() -> list[str]:
    """Command of a C compiler for this machine.

    Raises:
        ToolchainError: If there is none.
    """
    for name in ("cc", "gcc", "clang"):
        if path := shutil.which(name):
            return [path]
    if importlib.util.find_spec("ziglang"):
        return [sys.executable, "-m", "ziglang", "cc"]
    raise ToolchainError(
        "no C compiler for this machine found", hint="apt install gcc, or pip install 'edgetx[firmware]'"
    )
