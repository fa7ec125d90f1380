"""A profile as one self-contained HTML page."""

import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

Json = Mapping[str, object]


def profile_html(profile: Json, title: str) -> str:
    """The page: figures, charts and tables drawn by its own script from the profile it carries."""
    folder = files(__package__)
    page = (folder / "page.html").read_text(encoding="utf-8")
    data = json.dumps({"title": title, "profile": profile}).replace("</", "<\\/")
    parts = {
        "STYLE": (folder / "page.css").read_text(encoding="utf-8"),
        "SCRIPT": (folder / "page.js").read_text(encoding="utf-8"),
        "DATA": data,
    }
    for name, text in parts.items():
        page = page.replace(f"@@{name}@@", text)
    return page


def write_html(profile: Json, title: str, path: Path) -> None:
    """Write the page to a file."""
    path.write_text(profile_html(profile, title), encoding="utf-8")
