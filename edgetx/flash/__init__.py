"""Putting firmware onto devices: probes, bootloaders, and what is checked before and after."""

from edgetx.flash.jobs import BoardJob, EspJob, FlashJob, PhoneJob
from edgetx.flash.plan import FlashPlan, make_plan
from edgetx.flash.probes import Probe, flash, open_probe, split_probe

__all__ = [
    "BoardJob",
    "EspJob",
    "FlashJob",
    "FlashPlan",
    "PhoneJob",
    "Probe",
    "flash",
    "make_plan",
    "open_probe",
    "split_probe",
]
