"""Choice of kernels: a file in a core's folder replaces the portable one of the same name."""

from collections.abc import Sequence
from pathlib import Path

from edgetx.ops import KernelCall
from edgetx.plan.packing import Data, packed_forms

KERNELS_DIR = Path(__file__).parent.parent / "kernels"
PORTABLE = "portable"


def choose_kernels(call: KernelCall, data: Data, folders: Sequence[str]) -> list[tuple[KernelCall, Path]]:
    """The kernels for a call: of the first folder that has one, a packed form before the call as it is.

    Args:
        call: The call as the op asks for it.
        data: Contents of its operands; None for those computed at run time.
        folders: Folders that the target searches, in order; the portable kernels come last.

    Returns:
        Calls of one kernel, and its source. They differ in the memory that they take; the last takes least.
    """
    forms = [*packed_forms(call, data), call]
    for folder in (*folders, PORTABLE):
        for form in forms:
            source = (KERNELS_DIR if folder == PORTABLE else KERNELS_DIR / folder) / f"{form.kernel}.c"
            if source.is_file():
                return [(other, source) for other in forms if other.kernel == form.kernel]
    raise FileNotFoundError(f"no source of kernel {call.kernel}")
