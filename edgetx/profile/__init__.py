"""Profiling: what firmware costs on a target, estimated, simulated or measured.

The simulator needs the package `unicorn`, so its names are imported when they are first used.
"""

import importlib
from typing import TYPE_CHECKING

from edgetx.profile.layer import Layer

if TYPE_CHECKING:
    from edgetx.profile.profiling import Profile, profile_artifact, profile_firmware, profile_run
    from edgetx.profile.simulator import Simulator

__all__ = ["Layer", "Profile", "Simulator", "profile_artifact", "profile_firmware", "profile_run"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    home = "simulator" if name == "Simulator" else "profiling"
    return getattr(importlib.import_module(f"{__name__}.{home}"), name)
