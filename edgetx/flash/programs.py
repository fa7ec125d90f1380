"""Programs that Python packages bring."""

import os
import shutil
import sys
from pathlib import Path


def find_program(name: str) -> str | None:
    """Path of a program in this environment, active or not, or else on the search path; None if there is none."""
    here = str(Path(sys.executable).parent)
    return shutil.which(name, path=os.pathsep.join([here, os.environ.get("PATH", os.defpath)]))
