"""Where the data that ships with edgetx lies: `targets/`, `models/`, `firmware_examples/`."""

from pathlib import Path

_PACKAGE = Path(__file__).parent


def data_dir(name: str) -> Path:
    """Folder `name` as packaged in the wheel, else as it stands in a checkout."""
    packaged = _PACKAGE / "_data" / name
    return packaged if packaged.is_dir() else _PACKAGE.parent / name
