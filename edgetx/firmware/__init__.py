"""Firmware images and host libraries from generated C."""

from edgetx.firmware.build import build_firmware, image_id
from edgetx.firmware.golden import GoldenAudio, GoldenCase
from edgetx.firmware.host import build_host_library
from edgetx.firmware.image import Symbol, elf_symbols, has_float_symbols, section_sizes
from edgetx.firmware.measure import Firmware
from edgetx.firmware.toolchain import TOOLCHAINS, Toolchain, find_toolchain

__all__ = [
    "TOOLCHAINS",
    "Firmware",
    "GoldenAudio",
    "GoldenCase",
    "Symbol",
    "Toolchain",
    "build_firmware",
    "build_host_library",
    "elf_symbols",
    "find_toolchain",
    "has_float_symbols",
    "image_id",
    "section_sizes",
]
