"""Processor cores that targets name: their instruction set, and how compilers call them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Core:
    """One processor core.

    Attributes:
        name: As targets write it, and as `-mcpu` of GCC takes it.
        architecture: Arm architecture version and profile.
        features: Optional parts of the architecture that a target with this core may list.
    """

    name: str
    architecture: str
    features: frozenset[str] = frozenset()

    @property
    def is_microcontroller(self) -> bool:
        """Whether this is an M-profile core, for which edgetx builds firmware."""
        return "-M" in self.architecture


CORES = {
    core.name: core
    for core in (
        Core("cortex-m0plus", "ARMv6-M"),
        Core("cortex-m3", "ARMv7-M"),
        Core("cortex-m4", "ARMv7E-M", frozenset({"fpu-sp"})),
        Core("cortex-m7", "ARMv7E-M", frozenset({"fpu-sp", "fpu-dp"})),
        Core("cortex-m33", "ARMv8-M.main", frozenset({"dsp", "fpu-sp"})),
        Core("cortex-a53", "ARMv8-A", frozenset({"neon"})),
        Core("cortex-a55", "ARMv8.2-A", frozenset({"neon", "dotprod"})),
        Core("cortex-a76", "ARMv8.2-A", frozenset({"neon", "dotprod"})),
    )
}
