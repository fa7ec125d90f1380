"""Processor cores that targets name: their instruction set, and how compilers call them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Core:
    """One processor core.

    Attributes:
        name: As targets write it, and as `-mcpu` of GCC takes it.
        architecture: Arm architecture version and profile, or RISC-V base and extensions.
        features: Optional parts of the architecture that a target with this core may list.
        part_number: Bits 4 to 15 of its CPUID register (M profile) or MIDR (A profile), from its reference manual.
    """

    name: str
    architecture: str
    features: frozenset[str] = frozenset()
    part_number: int = 0

    @property
    def is_microcontroller(self) -> bool:
        """Whether this is an M-profile core of Arm, for which edgetx builds firmware."""
        return "-M" in self.architecture


CORES = {
    core.name: core
    for core in (
        Core("cortex-m0", "ARMv6-M", part_number=0xC20),
        Core("cortex-m0plus", "ARMv6-M", part_number=0xC60),
        Core("cortex-m3", "ARMv7-M", part_number=0xC23),
        Core("cortex-m4", "ARMv7E-M", frozenset({"fpu-sp"}), 0xC24),
        Core("cortex-m7", "ARMv7E-M", frozenset({"fpu-sp", "fpu-dp"}), 0xC27),
        Core("cortex-m33", "ARMv8-M.main", frozenset({"dsp", "fpu-sp"}), 0xD21),
        Core("cortex-a53", "ARMv8-A", frozenset({"neon"}), 0xD03),
        Core("cortex-a55", "ARMv8.2-A", frozenset({"neon", "dotprod"}), 0xD05),
        Core("rv32imc", "RV32IMC"),
        Core("cortex-a76", "ARMv8.2-A", frozenset({"neon", "dotprod"}), 0xD0B),
    )
}
