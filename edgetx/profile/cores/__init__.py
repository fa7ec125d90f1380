"""Timing models of the cores, and the parameters they run with."""

from edgetx.profile.cores.parameters import CoreParameters, load_core
from edgetx.profile.cores.registry import make_model
from edgetx.profile.cores.timing import Cause, CoreModel, Cost, Timing

__all__ = ["Cause", "CoreModel", "CoreParameters", "Cost", "Timing", "load_core", "make_model"]
