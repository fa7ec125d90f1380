"""Measurements on devices, kept beside the core's model: what `edgetx profile --record` appends."""

import json
from pathlib import Path
from typing import Any

from edgetx.config import load_toml, parse
from edgetx.errors import ConfigError
from edgetx.output import explained
from edgetx.profile.validation import Validation
from edgetx.resources import data_dir

Json = dict[str, Any]
SOURCE = "boards, by edgetx profile --engine device"


def record(report: Json, model: str, folder: Path | None = None) -> Path:
    """Append a profile from a device to `<core>.toml`, from which every profile of the core takes its validation line.

    Args:
        report: The profile.
        model: What ran.
        folder: Where the files are; by default `targets/measurements` of this installation.

    Returns:
        The file.

    Raises:
        ConfigError: If there is nothing to compare, or the file is damaged.
    """
    if report["simulated_cycles"] is None or not report["cycles"]:
        raise ConfigError("there are no simulated cycles to record", where="--record", hint="edgetx doctor")
    path = (folder or data_dir("targets") / "measurements") / f"{report['core']}.toml"
    if path.exists():
        text = path.read_text(encoding="utf-8")
        parse(load_toml(path), Validation, path.name)
    else:
        text = f"core = {json.dumps(report['core'])}\nsource = {json.dumps(SOURCE)}\n"
    image = f"{model} on {report['target']}, image {report['image_id']:08x}, {report['counter']}"
    text += (
        f"\n[[comparison]]\nimage = {json.dumps(image)}\nmeasured_cycles = {report['cycles']}\n"
        f"simulated_cycles = {report['simulated_cycles']}\n"
    )
    with explained(path, OSError):
        unfinished = path.with_name(f".{path.name}.part")
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(path)
    return path
