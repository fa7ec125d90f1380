"""Choice of kernels: a file in a core's folder replaces the portable one of the same name."""

from collections.abc import Sequence
from pathlib import Path

from edgetx.ops import KernelCall
from edgetx.plan.packing import packed_forms
from edgetx.plan.packing.tables import Data
from edgetx.plan.schedule import UNTUNED, Schedule

KERNELS_DIR = Path(__file__).parent.parent / "kernels"
PORTABLE = "portable"


def available_forms(call: KernelCall, data: Data, folders: Sequence[str]) -> list[tuple[KernelCall, Path]]:
    """Every form of a call that has a kernel, with the source of it: in the first folder that holds one.

    Args:
        call: The call as the op asks for it.
        data: Contents of its operands; None for those computed at run time.
        folders: Folders that the target searches, in order; the portable kernels come last.
    """
    paths = [*(KERNELS_DIR / folder for folder in folders if folder != PORTABLE), KERNELS_DIR]
    found = []
    for form in (*packed_forms(call, data), call):
        sources = (path / f"{form.kernel}.c" for path in paths)
        source = next((path for path in sources if path.is_file()), None)
        if source is not None:
            found.append((form, source))
    if not found:
        raise FileNotFoundError(f"no source of kernel {call.kernel}")
    return found


def kernel_headers(folders: Sequence[str]) -> dict[str, Path]:
    """Headers by name; as with kernels, those of the first folder win."""
    paths = [KERNELS_DIR, *(KERNELS_DIR / name for name in reversed(folders))]
    return {header.name: header for path in paths for header in path.glob("*.h")}


def choose_kernels(
    call: KernelCall, data: Data, folders: Sequence[str], schedule: Schedule = UNTUNED
) -> list[tuple[KernelCall, Path]]:
    """The kernels to choose from for a call, by the memory that there is room for: the last takes least.

    Those that the schedule names; without any, the forms of the first kernel that the first folder has.
    """
    available = available_forms(call, data, folders)
    by_name = {form.form: (form, source) for form, source in available}
    if tuned := [by_name[name] for name in schedule.forms(call) if name in by_name]:
        return tuned
    ranks = {name: rank for rank, name in enumerate(folders)}
    first = min(available, key=lambda found: ranks.get(found[1].parent.name, len(ranks)))[0]
    return [(form, source) for form, source in available if form.kernel == first.kernel]
