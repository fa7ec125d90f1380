"""Ways to execute a compiled model on the host, all under one protocol."""

from edgetx.runtimes.runtime import Runtime

__all__ = ["Runtime"]
