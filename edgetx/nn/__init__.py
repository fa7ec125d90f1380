"""Architectures as torch modules, by name, and the trained models of the zoo."""

from edgetx.nn.registry import ARCHITECTURES, Architecture, build
from edgetx.nn.zoo import load_zoo_model

__all__ = ["ARCHITECTURES", "Architecture", "build", "load_zoo_model"]
