"""What an interrupted stage has done so far, kept beside what it will write."""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

from edgetx.ir import Graph
from edgetx.ir.serialize import load_graph, save_graph
from edgetx.ops import REGISTRY
from edgetx.output import explained


class Kept:
    """Graphs and checkpoints of one stage; those made from other inputs are not found again.

    Args:
        out: The model folder that the stage writes.
        stage: Its name.
    """

    def __init__(self, out: Path, stage: str) -> None:
        self.folder = out.with_name(f".{out.name}.{stage}")

    def file(self, name: str, *made_from: object) -> Path:
        """Where something is kept.

        Args:
            name: File name.
            made_from: Whatever it depends on; what prints the same is the same.

        Raises:
            EdgetxError: If the disk is full or not writable.
        """
        digest = hashlib.sha256("\n".join(map(str, made_from)).encode()).hexdigest()[:16]
        with explained(self.folder, OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
        return self.folder / f"{digest}-{name}"

    def graph(self, path: Path, make: Callable[[], Graph]) -> Graph:
        """A graph that is kept, made unless it is there.

        Raises:
            EdgetxError: If the file is damaged, or the disk is full or not writable.
        """
        if not path.is_file():
            save_graph(make(), path)
        return load_graph(path, REGISTRY)

    def remove(self) -> None:
        """Remove everything, once the stage has written its folder."""
        shutil.rmtree(self.folder, ignore_errors=True)
