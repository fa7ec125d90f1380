"""Choice of kernels: a file in a core's folder replaces the portable one of the same name."""

from collections.abc import Sequence
from pathlib import Path

from edgetx.ops import KernelCall
from edgetx.plan.packing import Data, packed_forms

KERNELS_DIR = Path(__file__).parent.parent / "kernels"
PORTABLE = "portable"


def choose_kernel(call: KernelCall, data: Data, folders: Sequence[str]) -> tuple[KernelCall, Path]:
    """The kernel for a call: in the first folder that has one, a packed form before the call as it is.

    Args:
        call: The call as the op asks for it.
        data: Contents of its operands; None for those computed at run time.
        folders: Folders that the target searches, in order; the portable kernels come last.

    Returns:
        The call to make, and the source of its kernel.
    """
    forms = [*packed_forms(call, data), call]
    for folder in (*folders, PORTABLE):
        for form in forms:
            source = (KERNELS_DIR if folder == PORTABLE else KERNELS_DIR / folder) / f"{form.kernel}.c"
            if source.is_file():
                return form, source
    raise FileNotFoundError(f"no source of kernel {call.kernel}")
