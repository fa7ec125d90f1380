"""Reports as self-contained HTML pages, each drawn by its own script from the data that it carries."""

import json
from collections.abc import Mapping
from importlib.resources import files


def page(package: str, title: str, data: Mapping[str, object]) -> str:
    """The page of a package that holds `body.html`, `page.css` and `page.js`.

    Args:
        package: Its name.
        title: What the browser's tab says.
        data: What the script finds as JSON in the element `data`.
    """
    own, base = files(package), files(__package__)
    text = (base / "page.html").read_text(encoding="utf-8")
    parts = {
        "TITLE": title,
        "STYLE": (base / "base.css").read_text(encoding="utf-8") + (own / "page.css").read_text(encoding="utf-8"),
        "BODY": (own / "body.html").read_text(encoding="utf-8"),
        "SCRIPT": (own / "page.js").read_text(encoding="utf-8"),
        "DATA": json.dumps(data).replace("</", "<\\/"),
    }
    for name, part in parts.items():
        text = text.replace(f"@@{name}@@", part)
    return text
