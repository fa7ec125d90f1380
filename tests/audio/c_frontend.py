"""The generated front end, compiled for this machine and for a board."""

import ctypes
import subprocess
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from edgetx.audio.frontend import FixedPointFrontEnd
from edgetx.audio.quantizer import FeatureQuantizer, fit_quantizer
from edgetx.backends.c.frontend import emit_frontend
from edgetx.firmware import build_host_library
from edgetx.firmware.toolchain import core_flags
from edgetx.profile import Simulator
from edgetx.recipe import FrontEnd
from edgetx.targets import load_target

MAIN = """
#include "frontend.h"
#ifndef SAMPLES
#define SAMPLES 80000
#endif
edgetx_frontend state;
int16_t audio[SAMPLES];
int8_t rows[2 * SAMPLES];
static int32_t push_all(const int16_t *hop, const int16_t *end) {
  int32_t count = 0;
  for (; end - hop >= EDGETX_FRONTEND_HOP; hop += EDGETX_FRONTEND_HOP) {
    edgetx_frontend_push(&state, hop, rows + EDGETX_FRONTEND_FEATURES * count++);
  }
  return count;
}
int32_t extract(int32_t samples) {
  edgetx_frontend_start(&state, audio);
  return push_all(audio + EDGETX_FRONTEND_HISTORY, audio + samples);
}
int32_t extract_after_reset(int32_t samples) {
  edgetx_frontend_reset(&state);
  return push_all(audio, audio + samples);
}
#ifdef __arm__
void _start(void) { extract(0); for (;;) {} }
#endif
"""


class CFrontEnd:
    """A front end with its C sources in a folder of its own."""

    def __init__(self, setting: FrontEnd, rate: int = 16_000, scale: float = 0.03, zero_point: int = 3) -> None:
        self.front = FixedPointFrontEnd(setting, rate)
        self.quantizer: FeatureQuantizer = fit_quantizer(self.front, scale, zero_point)
        self._folder = TemporaryDirectory()
        self.folder = Path(self._folder.name)
        for name, text in {**emit_frontend(self.front, self.quantizer), "main.c": MAIN}.items():
            (self.folder / name).write_text(text)

    def reference(self, audio: np.ndarray) -> np.ndarray:
        """Rows of clips by the specification."""
        return self.quantizer(self.front.project(self.front.log_mel(audio)))

    @cached_property
    def host(self) -> ctypes.CDLL:
        library = build_host_library(self.folder, self.folder / "front.so", sanitizers=("undefined",))
        return ctypes.CDLL(str(library))

    def on_host(self, clip: np.ndarray, extract: str = "extract") -> np.ndarray:
        """Rows of a clip, pushed hop by hop."""
        address = ctypes.addressof(ctypes.c_int16.in_dll(self.host, "audio"))
        ctypes.memmove(address, np.ascontiguousarray(clip, np.int16).ctypes.data, 2 * len(clip))
        count = getattr(self.host, extract)(len(clip)) * self.front.frontend.features
        rows = (ctypes.c_int8 * count).in_dll(self.host, "rows")
        return np.array(rows, np.int8).reshape(-1, self.front.frontend.features)

    def after_reset(self, clip: np.ndarray) -> np.ndarray:
        """The same without history."""
        return self.on_host(clip, "extract_after_reset")

    def image(self, board: str, *options: str) -> Path:
        """An image for a board."""
        target = load_target(board)
        rom, ram = (target.memory[target.region_of(role)].base_address for role in ("code", "data"))
        elf = self.folder / f"{board}.elf"
        flags = [*core_flags(target), "-mthumb", "-O2", "-ffreestanding", "-nostartfiles", "-g", *options]
        places = [f"-Wl,-Ttext=0x{rom:x}", f"-Wl,-Tdata=0x{ram:x}", "-Wl,--no-warn-rwx-segments"]
        sources = map(str, sorted(self.folder.glob("*.c")))
        subprocess.run(["arm-none-eabi-gcc", *flags, *places, *sources, "-o", str(elf)], check=True)
        return elf


class SimulatedFrontEnd:
    """The same on the simulated core."""

    def __init__(self, c: CFrontEnd, board: str, *, count: bool = False) -> None:
        self.features = c.front.frontend.features
        self.sim = Simulator(board, c.image(board, "-DSAMPLES=32000"), count=count)

    def rows(self, clip: np.ndarray) -> np.ndarray:
        """Rows of a clip, pushed hop by hop."""
        self.sim.write(self.sim.symbol("audio"), np.ascontiguousarray(clip, np.int16).tobytes())
        count = self.sim.call(self.sim.symbol("extract"), len(clip)) * self.features
        return np.frombuffer(self.sim.read(self.sim.symbol("rows"), count), np.int8).reshape(-1, self.features)
