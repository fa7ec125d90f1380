"""Ahead-of-time C: one model file, only the kernels it calls, no interpreter, no heap."""

from edgetx.backends.c.emit import CSources, emit_c, write_c
from edgetx.backends.c.frontend import emit_frontend
from edgetx.backends.c.stream import Hops, Windows, emit_stream

__all__ = ["CSources", "Hops", "Windows", "emit_c", "emit_frontend", "emit_stream", "write_c"]
