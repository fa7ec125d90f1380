"""Profiling: what firmware costs on a target, estimated, simulated or measured."""

from edgetx.profile.profiling import Layer, Profile, profile_artifact, profile_firmware, profile_run
from edgetx.profile.simulator import Simulator

__all__ = ["Layer", "Profile", "Simulator", "profile_artifact", "profile_firmware", "profile_run"]
