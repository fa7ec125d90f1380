"""The ledger, and what a search found, as one self-contained HTML page."""

import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from edgetx.output import explained


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
    folder = files(__package__)
    page = (folder / "page.html").read_text(encoding="utf-8")
    data = json.dumps({"title": title, "stages": list(stages), "found": list(found)}).replace("</", "<\\/")
    parts = {
        "STYLE": (folder / "page.css").read_text(encoding="utf-8"),
        "SCRIPT": (folder / "page.js").read_text(encoding="utf-8"),
        "DATA": data,
    }
    for name, text in parts.items():
        page = page.replace(f"@@{name}@@", text)
    with explained(path, OSError):
        path.write_text(page, encoding="utf-8")
