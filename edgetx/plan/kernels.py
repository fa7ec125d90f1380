"""Choice of kernel sources: a file in a core's folder replaces the portable one of the same name."""

from collections.abc import Sequence
from pathlib import Path

KERNELS_DIR = Path(__file__).parent.parent / "kernels"
PORTABLE = "portable"


def find_kernel(name: str, folders: Sequence[str]) -> Path:
    """The source of a kernel for a target that searches `folders` in order; the portable kernels come last."""
    for folder in (*folders, PORTABLE):
        source = (KERNELS_DIR if folder == PORTABLE else KERNELS_DIR / folder) / f"{name}.c"
        if source.is_file():
            return source
    raise FileNotFoundError(f"no source of kernel {name}")
