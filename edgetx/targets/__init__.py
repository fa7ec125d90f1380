"""Boards and phones: what they are made of, as TOML files loaded into frozen dataclasses."""

from edgetx.targets.cores import CORES, Core
from edgetx.targets.registry import list_targets, load_target
from edgetx.targets.schema import (
    BitField,
    Cache,
    Console,
    Flash,
    Identity,
    MemoryRegion,
    Register,
    Source,
    Target,
    Uf2,
    WaitStates,
)

__all__ = [
    "CORES",
    "BitField",
    "Cache",
    "Console",
    "Core",
    "Flash",
    "Identity",
    "MemoryRegion",
    "Register",
    "Source",
    "Target",
    "Uf2",
    "WaitStates",
    "list_targets",
    "load_target",
]
