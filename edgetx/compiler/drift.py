"""What a stream remembers, and how far it is from the float model.

Two things could make a stream differ from the float model after an hour. *Drift*: what its states carry along from long
ago. It is measured against streams that were reset a while before; where all states are rings there is none, because
after so many hops nothing else is in them. And *quantization*, whose error comes anew with every window and is the same
in the first minute as in the last; its largest value over an hour is extrapolated from the largest ones of the blocks
of the calibration audio, which follow a Gumbel distribution.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgetx.fixedpoint import dequantize
from edgetx.ir import Array, Graph
from edgetx.passes.streaming import Streamed
from edgetx.reference import execute, initial_state
from edgetx.runtimes.runtime import Runtime

STARTS = 6
"""Streams that begin anew beside the long one."""
FOLLOWED_CLIPS = 3
"""Clip lengths for which a stream that began anew is followed."""
HOUR_MS = 3_600_000
LIKELY_FRAME_MS = 10.0
"""Length of a frame where that is not known."""
RISK = 0.01
"""That an hour of audio like that of the calibration exceeds the bound."""
LEAST_BLOCKS = 8
EULER = 0.5772156649


@dataclass(frozen=True)
class Memory:
    """For how long a stream depends on what it heard.

    Attributes:
        hops: Hops after which a stream that began anew has the answers of one that has run all along, bit for bit; None
            if it never had all of them.
        proven: Whether that follows from the sizes of its rings; else it was measured.
        starts: Streams that began anew for the measurement.
        residual: Largest difference of their answers, in real units, after two lengths of a clip.
    """

    hops: int | None
    proven: bool
    starts: int
    residual: float


@dataclass(frozen=True)
class Distance:
    """How far answers are from those of the float model.

    Attributes:
        hops: Hops compared.
        mean: Mean, over hops, of the largest difference of a hop.
        p99: Its 99th percentile.
        largest: The largest.
        saturated: Share of hops where the float model's answer is beyond what the integers can say.
        hour: What an hour exceeds with a probability of RISK; None if there was too little audio to tell.
    """

    hops: int
    mean: float
    p99: float
    largest: float
    saturated: float
    hour: float | None


def memory_of(streamed: Streamed, runtime: Runtime, hops: Array, answers: NDArray[np.int64]) -> Memory | None:
    """Streams that begin anew beside one that has run all along.

    Args:
        streamed: The stream.
        runtime: Where it runs.
        hops: Quantized inputs, hop by hop.
        answers: Those of the stream that has run all along, see `answers_of`.

    Returns:
        What was found; None if there are too few hops.
    """
    clip = max(streamed.ends_with_window, streamed.ready)
    length = FOLLOWED_CLIPS * clip
    if len(hops) < 2 * length:
        return None
    begins = np.linspace(clip, len(hops) - length, STARTS).astype(int)
    apart = np.stack(
        [np.abs(answers_of(runtime, hops[b : b + length]) - answers[b : b + length]).max(1) for b in begins]
    ).max(0)
    differing = np.flatnonzero(apart)
    settled = int(differing[-1]) + 1 if differing.size else 0
    proven = not streamed.endless
    scale = streamed.graph.outputs[0].type.scale
    return Memory(
        hops=streamed.ready if proven else settled if settled <= 2 * clip else None,
        proven=proven,
        starts=STARTS,
        residual=float(apart[streamed.ready if proven else 2 * clip :].max() * scale),
    )


def distance_of(
    streamed: Streamed,
    floats: Graph,
    hops: Array,
    answers: NDArray[np.int64],
    frame_ms: float | None,
    parts: int = 1,
) -> list[Distance]:
    """Answers of a stream beside those of the float model, both from a reset on and never again.

    Args:
        streamed: The stream.
        floats: The float graph of a hop.
        hops: Quantized inputs, hop by hop.
        answers: Those of the stream, see `answers_of`.
        frame_ms: From one frame to the next.
        parts: Into how many stretches of time to part what is found.
    """
    (output,) = streamed.graph.outputs
    kind = output.type
    real = np.stack([y.reshape(-1) for y in float_answers(floats, streamed, hops)])
    errors = np.abs(dequantize(answers, kind.scale, kind.zero_point) - real).max(1).astype(np.float64)
    low, high = ((q - kind.zero_point) * kind.scale for q in (kind.qmin, kind.qmax))
    beyond = ((real < low) | (real > high)).any(1)
    block = max(1, streamed.clip_frames // streamed.hop)
    hour = HOUR_MS / ((frame_ms or LIKELY_FRAME_MS) * streamed.hop) / block
    pairs = zip(np.array_split(errors, parts), np.array_split(beyond, parts), strict=True)
    return [_distance(error, outside, block, hour) for error, outside in pairs]


def _distance(errors: NDArray[np.float64], beyond: NDArray[np.bool_], block: int, hour: float) -> Distance:
    return Distance(
        hops=len(errors),
        mean=float(errors.mean()),
        p99=float(np.quantile(errors, 0.99)),
        largest=float(errors.max()),
        saturated=float(beyond.mean()),
        hour=extreme(errors, block, hour),
    )


def answers_of(runtime: Runtime, hops: Array) -> NDArray[np.int64]:
    """Integer outputs of each hop from a reset on, a row for each."""
    runtime.reset()
    return np.stack([runtime.run((hop,))[0].reshape(-1) for hop in hops]).astype(np.int64)


def float_answers(floats: Graph, streamed: Streamed, hops: Array) -> Iterator[Array]:
    """What the float model says to quantized hops."""
    kind, state = streamed.graph.inputs[0].type, initial_state(floats)
    for hop in hops:
        yield execute(floats, [dequantize(hop, kind.scale, kind.zero_point)], state)[0]


def extreme(values: NDArray[np.float64], block: int, blocks: float, risk: float = RISK) -> float | None:
    """What the largest of many blocks of such values exceeds with probability `risk`.

    The largest value of a block of many is distributed like Gumbel's, F(x) = exp(−exp(−(x − μ)/β)), if large values are
    as rare as in a normal distribution (Coles, An Introduction to Statistical Modeling of Extreme Values, 2001,
    chapter 3); β and μ by moments.

    Args:
        values: In order of time.
        block: Values after which others are as good as independent.
        blocks: How many blocks there will be.
        risk: The probability.

    Returns:
        The level; None where there are too few values.
    """
    count = len(values) // block
    if count < LEAST_BLOCKS:
        return None
    peaks = values[: count * block].reshape(count, block).max(1)
    beta = float(peaks.std()) * 6**0.5 / np.pi
    level = float(peaks.mean()) - EULER * beta - beta * float(np.log(-np.log1p(-risk) / blocks))
    return max(level, float(peaks.max()))
