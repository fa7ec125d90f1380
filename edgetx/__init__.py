"""edgetx: tiny audio models from training to silicon."""

__version__ = "0.1.0"
