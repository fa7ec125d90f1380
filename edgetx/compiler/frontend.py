"""The C of the audio front end that feeds a compiled model."""

import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgetx.audio.frontend import FixedPointFrontEnd
from edgetx.audio.quantizer import fit_quantizer
from edgetx.backends.c import emit_frontend
from edgetx.firmware import GoldenAudio
from edgetx.ir import TensorType
from edgetx.recipe import Recipe

_GOLDEN_ROWS = 2


def write_frontend(
    recipe: Recipe | None, model_input: TensorType, kernel_folders: Sequence[str], folder: Path
) -> GoldenAudio:
    """Write the front end beside a model's C; nothing for models without a recipe, or whose input is not int8.

    Args:
        recipe: The model's recipe, if it has one.
        model_input: What the rows are quantized to.
        kernel_folders: Kernel folders that the target prefers over the portable kernels.
        folder: Where the model's C is.

    Returns:
        Audio for the firmware to check its front end with; empty if there is none.

    Raises:
        ConfigError: If the window is too long for C.
        QuantError: If no integer arithmetic agrees with the quantization of the input.
    """
    if recipe is None or model_input.dtype != "int8":
        return GoldenAudio()
    front = FixedPointFrontEnd(recipe.frontend, recipe.data.sample_rate_hz)
    quantizer = fit_quantizer(front, model_input.scale, model_input.zero_point)
    for name, text in emit_frontend(front, quantizer, kernel_folders).items():
        (folder / name).write_text(text, encoding="utf-8")
    clip = _sweep(front.length + (_GOLDEN_ROWS - 1) * front.hop)
    rows = quantizer(front.project(front.log_mel(clip[None])))
    return GoldenAudio(clip.tolist(), _GOLDEN_ROWS, zlib.crc32(rows.tobytes()))


def _sweep(length: int) -> NDArray[np.int16]:
    """A full-scale sawtooth that sweeps through all frequencies."""
    return (37 * np.arange(length) ** 2 % 2**16 - 2**15).astype(np.int16)
