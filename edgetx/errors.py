"""The errors a user can cause, and the exit code of each.

Everything else keeps its traceback, because it is a bug. Only the command line catches these.
"""

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """Exit codes of the `edgetx` command."""

    OK = 0
    MODEL = 1
    USAGE = 2
    TARGET = 3
    TOOLCHAIN = 4
    DEVICE = 5
    INTERRUPTED = 130


class EdgetxError(Exception):
    """What is wrong, where it is, and what to try.

    Args:
        what: The problem, in one line.
        where: The file, tensor, op or key in which it shows.
        hint: What the user can do about it.
    """

    exit_code: ClassVar[ExitCode] = ExitCode.MODEL

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        self.what, self.where, self.hint = what, where, hint
        super().__init__(what)

    def __str__(self) -> str:
        first = f"{self.where}: {self.what}" if self.where else self.what
        return f"{first}\nhint: {self.hint}" if self.hint else first


class ModelError(EdgetxError):
    """A model that is malformed or cannot be represented."""


class UnsupportedOpError(ModelError):
    """An op that a frontend or backend does not know; names the op and its place in the user's model."""


class DataError(EdgetxError):
    """Audio, labels or calibration data that is missing, damaged or of the wrong kind."""


class QuantError(EdgetxError):
    """A calibration or quantization recipe that cannot be carried out."""


class FitError(EdgetxError):
    """A model that needs more memory or time than the target or the budget has."""


class ConfigError(EdgetxError):
    """A recipe or configuration file that is malformed."""

    exit_code = ExitCode.TARGET


class TargetError(ConfigError):
    """A target that is unknown or malformed."""


class ToolchainError(EdgetxError):
    """A compiler or a Python package that is missing or failed."""

    exit_code = ExitCode.TOOLCHAIN


class DeviceError(EdgetxError):
    """A probe, port or device that did not answer as it should; also a firmware image that misbehaves."""

    exit_code = ExitCode.DEVICE
