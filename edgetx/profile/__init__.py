"""Profiling: what firmware costs on a target, estimated, simulated or measured."""

from edgetx.profile.simulator import Simulator

__all__ = ["Simulator"]
