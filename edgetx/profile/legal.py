"""Which instructions a core has; the emulator executes some that it lacks."""

from edgetx.errors import DeviceError
from edgetx.profile.instruction import Instruction, Kind
from edgetx.profile.system import SystemControl
from edgetx.targets import Target

CPACR = 0xE000_ED88
_V6M_WIDE = frozenset({"bl", "mrs", "msr", "dmb", "dsb", "isb", "udf"})
_V6M_MISSING = frozenset({"it", "cbz", "cbnz", "sdiv", "udiv"})
_DSP = (
    "qadd", "qsub", "qdadd", "qdsub", "sadd", "ssub", "uadd", "usub", "sasx", "ssax", "uasx", "usax", "shadd", "shsub",
    "uhadd", "uhsub", "uqadd", "uqsub", "shasx", "shsax", "uhasx", "uhsax", "qasx", "qsax", "uqasx", "uqsax", "pkh",
    "sel", "usad", "ssat16", "usat16", "sxtab", "sxtah", "uxtab", "uxtah", "sxtb16", "uxtb16", "smlab", "smlat",
    "smlad", "smlaw", "smlsd", "smlalb", "smlalt", "smlald", "smlsld", "smuad", "smusd", "smulb", "smult", "smulw",
    "smmul", "smmla", "smmls", "umaal",
)  # fmt: skip
_FPV5 = ("vsel", "vmaxnm", "vminnm", "vrint", "vcvta", "vcvtn", "vcvtp", "vcvtm")
_V8M = ("lda", "stl", "tt", "bxns", "blxns", "sg", "vlldm", "vlstm", "sqrt")


def check_instruction(instruction: Instruction, target: Target) -> None:
    """Refuse an instruction that the target's core does not have.

    Raises:
        DeviceError: If the core would fault.
    """
    lacking = _what_is_lacking(instruction, target)
    if lacking:
        raise DeviceError(
            f"'{instruction.text}' at 0x{instruction.address:08x} needs {lacking}, which the {target.core} lacks",
            hint="is the image built for another core?",
        )


def check_fpu_is_on(instruction: Instruction, system: SystemControl) -> None:
    """Refuse a floating-point instruction while coprocessors 10 and 11 are off.

    Raises:
        DeviceError: If the core would fault.
    """
    if instruction.is_fp and not system.word(CPACR) >> 20 & 0xF:
        raise DeviceError(
            f"'{instruction.text}' at 0x{instruction.address:08x} while the floating-point unit is off",
            hint="start-up code has to write 0xF << 20 to CPACR (0xE000ED88)",
        )


def _what_is_lacking(this: Instruction, target: Target) -> str:
    architecture = target.core_info.architecture
    if architecture == "ARMv6-M":
        return "" if _in_v6m(this) else "the ARMv7-M instruction set"
    if this.is_fp:
        return _fp_lacking(this, target)
    if this.name.startswith(_DSP) and not _has_dsp(target):
        return "the DSP extension"
    if this.name.startswith(_V8M) and not architecture.startswith("ARMv8"):
        return "the ARMv8-M instruction set"
    return ""


def _in_v6m(this: Instruction) -> bool:
    if this.is_fp or this.name in _V6M_MISSING:
        return False
    if this.wide:
        return this.name in _V6M_WIDE
    return this.kind is not Kind.TABLE_BRANCH


def _fp_lacking(this: Instruction, target: Target) -> str:
    if "fpu-sp" not in target.features and "fpu-dp" not in target.features:
        return "a floating-point unit"
    if this.double and "fpu-dp" not in target.features and this.kind not in (Kind.LOAD, Kind.STORE, Kind.FP_MOVE):
        return "a double-precision floating-point unit"
    if this.name.startswith(_FPV5) and target.core in ("cortex-m3", "cortex-m4"):
        return "FPv5"
    return ""


def _has_dsp(target: Target) -> bool:
    return "dsp" in target.features or target.core_info.architecture == "ARMv7E-M"
