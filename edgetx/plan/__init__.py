"""Decisions that belong to a target: which kernels, and where each tensor lies in memory."""

from edgetx.plan.arena import Arena, Buffer, plan_arena
from edgetx.plan.kernels import KERNELS_DIR, choose_kernels
from edgetx.plan.liveness import live_buffers
from edgetx.plan.program import Program, Step, plan_program

__all__ = [
    "KERNELS_DIR",
    "Arena",
    "Buffer",
    "Program",
    "Step",
    "choose_kernels",
    "live_buffers",
    "plan_arena",
    "plan_program",
]
