"""What native code prints to stderr, past Python's streams."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

STDERR = 2


@contextmanager
def captured_stderr() -> Iterator[list[str]]:
    """Divert stderr into a list of lines, complete when the block ends."""
    lines: list[str] = []
    sys.stderr.flush()
    with tempfile.TemporaryFile() as sink:
        saved = os.dup(STDERR)
        os.dup2(sink.fileno(), STDERR)
        try:
            yield lines
        finally:
            os.dup2(saved, STDERR)
            os.close(saved)
            sink.seek(0)
            lines += sink.read().decode(errors="replace").splitlines()
