"""Decisions that belong to a target: which kernels, and where each tensor lies in memory."""

from edgetx.plan.arena import Arena, Buffer, plan_arena
from edgetx.plan.kernels import KERNELS_DIR, available_forms, choose_kernels, kernel_headers
from edgetx.plan.liveness import live_buffers
from edgetx.plan.program import Program, Step, plan_program
from edgetx.plan.schedule import UNTUNED, Schedule, load_schedule

__all__ = [
    "KERNELS_DIR",
    "UNTUNED",
    "Arena",
    "Buffer",
    "Program",
    "Schedule",
    "Step",
    "available_forms",
    "choose_kernels",
    "kernel_headers",
    "live_buffers",
    "load_schedule",
    "plan_arena",
    "plan_program",
]
