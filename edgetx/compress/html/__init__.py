"""The ledger, and what a search found, as one self-contained HTML page."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from edgetx.output import explained
from edgetx.page import page


def write_ledger_page(
    path: Path, title: str, stages: Sequence[Mapping[str, Any]], found: Sequence[Mapping[str, Any]] = ()
) -> None:
    """Write the page.

    Args:
        path: The file.
        title: Name of the model.
        stages: Rows of the ledger, as in metrics.json and report.json.
        found: Networks that a search looked at, as in search.json.

    Raises:
        EdgetxError: If the disk is full or not writable.
    """
    text = page(__name__, "edgetx ledger", {"title": title, "stages": list(stages), "found": list(found)})
    with explained(path, OSError):
        path.write_text(text, encoding="utf-8")
