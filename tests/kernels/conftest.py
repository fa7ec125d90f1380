"""The cases of the ops are those of the kernels too."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "ops"))
