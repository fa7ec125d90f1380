"""The C of another compiler as a folder that edgetx's firmware builder and simulator take."""

import re
from pathlib import Path

INPUT_BYTES, OUTPUT_BYTES = 490, 12
INTERFACE = """\
#ifndef EDGETX_MODEL_H
#define EDGETX_MODEL_H

#include <stddef.h>
#include <stdint.h>

#define EDGETX_INPUTS 1
#define EDGETX_OUTPUTS 1
#define EDGETX_LAYERS 1

void *edgetx_input(int32_t index);
size_t edgetx_input_bytes(int32_t index);
const void *edgetx_output(int32_t index);
size_t edgetx_output_bytes(int32_t index);
void edgetx_reset(void);
void edgetx_invoke(void);
typedef void (*edgetx_layer)(void);
extern const edgetx_layer edgetx_layers[EDGETX_LAYERS];
void edgetx_keep(void);

#endif
"""
ADAPTER = """\
#include "bknn_model.h"
#include "model.h"

static _Alignas(16) uint8_t edgetx_arena[{arena}];
static int8_t input[{inputs}], output[{outputs}];

void *edgetx_input(int32_t index) {{ return index == 0 ? input : NULL; }}
size_t edgetx_input_bytes(int32_t index) {{ return index == 0 ? sizeof input : 0; }}
const void *edgetx_output(int32_t index) {{ return index == 0 ? output : NULL; }}
size_t edgetx_output_bytes(int32_t index) {{ return index == 0 ? sizeof output : 0; }}
void edgetx_reset(void) {{}}
void edgetx_invoke(void) {{ bknn_model_infer(edgetx_arena, input, output); }}
void edgetx_keep(void) {{}}
const edgetx_layer edgetx_layers[EDGETX_LAYERS] = {{edgetx_invoke}};
"""
QUIET = "#pragma GCC system_header\n"
"""Makes the compiler's warnings, which are errors for code of ours, stay away from code of others."""


def adapt(made: Path, folder: Path) -> int:
    """Copy what bakenn made to a folder, beside an adapter; returns the bytes of its arena, input and output."""
    folder.mkdir(parents=True)
    defines = "#define BAKENN_CMSIS_NN_BUILTIN_MEMORY\n" if (made / "third_party").exists() else ""
    for source in made.rglob("*.[ch]"):
        if source.suffix == ".h":
            (folder / source.name).write_text(QUIET + source.read_text())
        else:
            (folder / f"{source.stem}.inc").write_text(QUIET + defines + source.read_text())
            (folder / source.name).write_text(f'#include "{source.stem}.inc"\n')
    header = (folder / "bknn_model.h").read_text()
    arena = int(re.findall(r"BKNN_MODEL_ARENA_SIZE (\d+)u", header)[0])
    (folder / "model.h").write_text(INTERFACE)
    (folder / "adapter.c").write_text(ADAPTER.format(arena=arena, inputs=INPUT_BYTES, outputs=OUTPUT_BYTES))
    return arena + INPUT_BYTES + OUTPUT_BYTES
