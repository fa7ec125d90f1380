"""A profile as one self-contained HTML page."""

from collections.abc import Mapping
from pathlib import Path

from edgetx.page import page

Json = Mapping[str, object]


def profile_html(profile: Json, title: str) -> str:
    """The page: figures, charts and tables drawn by its own script from the profile it carries."""
    return page(__name__, "edgetx profile", {"title": title, "profile": profile})


def write_html(profile: Json, title: str, path: Path) -> None:
    """Write the page to a file."""
    path.write_text(profile_html(profile, title), encoding="utf-8")
