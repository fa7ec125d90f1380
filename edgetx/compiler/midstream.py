"""How right a stream is about clips in the middle of other audio, where a clip model would have begun anew."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edgetx.compiler.drift import answers_of
from edgetx.compiler.streaming import StreamedModel
from edgetx.data.stream import Placed
from edgetx.ir import Array
from edgetx.recipe import Recipe, samples
from edgetx.runtimes.runtime import Runtime


@dataclass(frozen=True)
class MidStream:
    """Accuracy on clips that lie in continuous audio, by the answer at their end.

    Attributes:
        clips: How many.
        running: Accuracy of the stream, which has heard all that was before.
        reset: That of a stream that is reset at the beginning of each clip, on the same frames.
    """

    clips: int
    running: float
    reset: float


def accuracy_in_stream(
    streaming: StreamedModel, recipe: Recipe, runtime: Runtime, hops: Array, placed: Sequence[Placed]
) -> MidStream | None:
    """Measure it.

    Args:
        streaming: The stream.
        recipe: Of the model, for its classes and its frames.
        runtime: Where the stream runs.
        hops: Quantized hops of the audio, from its beginning.
        placed: The clips in it.

    Returns:
        What was measured; None if no clip can be told.
    """
    streamed, classes = streaming.streamed, recipe.data.classes
    size = streamed.hop * samples(recipe.frontend.hop_ms, recipe.data.sample_rate_hz)
    length, lag = streamed.ends_with_window, streamed.ends_with_window - -(-streamed.clip_frames // streamed.hop)
    known = [(classes.index(p.label), -(-(p.start + p.length) // size) + lag) for p in placed if p.label in classes]
    ends = [(label, end) for label, end in known if length <= end <= len(hops)]
    if not ends or len(streamed.graph.outputs) != 1 or streamed.graph.outputs[0].type.size != len(classes):
        return None
    running = answers_of(runtime, hops).argmax(1)
    reset = [answers_of(runtime, hops[end - length : end])[-1].argmax() for _, end in ends]
    labels, at = np.array([label for label, _ in ends]), np.array([end - 1 for _, end in ends])
    return MidStream(len(ends), float((running[at] == labels).mean()), float((np.array(reset) == labels).mean()))
