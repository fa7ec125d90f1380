"""Ahead-of-time C: one model file, only the kernels it calls, no interpreter, no heap."""

from edgetx.backends.c.emit import CSources, emit_c, write_c

__all__ = ["CSources", "emit_c", "write_c"]
