"""Continuous audio as the inputs of a model, with the bits of the firmware's front end."""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from edgetx.audio.frontend import FixedPointFrontEnd
from edgetx.audio.quantizer import fit_quantizer
from edgetx.ir import TensorType
from edgetx.recipe import Recipe


def quantized_rows(
    recipe: Recipe, source: TensorType, chunks: Iterable[NDArray[np.int16]]
) -> Iterator[NDArray[np.int8]]:
    """The new rows of each chunk of audio that begins after silence.

    Args:
        recipe: Of the model, for its front end.
        source: Type of the model's input, for its quantization.
        chunks: 16-bit samples at the rate of the recipe, a piece after the other.

    Yields:
        Frames × features; nothing for a chunk that completes no frame.
    """
    front = FixedPointFrontEnd(recipe.frontend, recipe.data.sample_rate_hz)
    quantizer = fit_quantizer(front, source.scale, source.zero_point)
    pending = np.zeros(front.length - front.hop, np.int16)
    for chunk in chunks:
        pending = np.concatenate([pending, chunk])
        if len(pending) >= front.length:
            rows = quantizer(front.project(front.log_mel(pending[None])))[0]
            pending = pending[len(rows) * front.hop :]
            yield rows
