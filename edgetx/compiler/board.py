"""`OUT/board`: what a firmware project needs beside the model's C: start-up code, linker script, console, toolchain."""

import json
import shutil
from pathlib import Path

from edgetx.firmware.board import board_header
from edgetx.firmware.build import RUNTIME, image_id
from edgetx.firmware.golden import GoldenAudio, GoldenCase, golden_source
from edgetx.firmware.linker import linker_script
from edgetx.firmware.toolchain import core_flags
from edgetx.targets import Target

STACK_BYTES = 4096
_TOOLCHAIN = """\
# The toolchain for {name}, for cmake --toolchain.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR arm)
set(CMAKE_C_COMPILER arm-none-eabi-gcc)
set(CMAKE_CXX_COMPILER arm-none-eabi-g++)
set(CMAKE_AR arm-none-eabi-ar)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(CMAKE_C_FLAGS_INIT "-mthumb {flags} -ffreestanding -ffunction-sections -fdata-sections")
set(CMAKE_CXX_FLAGS_INIT "-mthumb {flags} -ffunction-sections -fdata-sections -fno-exceptions -fno-rtti")
"""


def write_board(
    target: Target,
    sources: Path,
    golden: list[GoldenCase],
    audio: GoldenAudio,
    folder: Path,
    stack_bytes: int = STACK_BYTES,
) -> None:
    """Write the folder.

    Args:
        target: A microcontroller target.
        sources: Folder of the model's C.
        golden: Cases with which firmware checks itself.
        audio: Audio with which it checks its front end.
        folder: What to write; created.
        stack_bytes: Stack to reserve.
    """
    folder.mkdir()
    for path in sorted(RUNTIME.iterdir()):
        if path.name != "etx_golden_main.c":
            shutil.copyfile(path, folder / path.name)
    (folder / "etx_board.h").write_text(board_header(target, image_id(sources)), encoding="utf-8")
    (folder / "etx_golden.c").write_text(golden_source(golden, audio), encoding="utf-8")
    (folder / "image.ld").write_text(linker_script(target, stack_bytes), encoding="utf-8")
    flags = " ".join(core_flags(target))
    (folder / "toolchain.cmake").write_text(_TOOLCHAIN.format(name=target.name, flags=flags), encoding="utf-8")


def layers_header(rows: list[dict[str, object]]) -> str:
    """`etx_layers.h`: the names of the layers, for firmware that prints them."""
    names = "".join(f"    {json.dumps(str(row['name']))},\n" for row in rows)
    return f"/* Names of the model's layers. */\nstatic const char *const etx_layer_names[] = {{\n{names}}};\n"
