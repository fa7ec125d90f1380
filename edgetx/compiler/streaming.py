"""`--stream`: the model hop by hop, and how it compares with the clip model."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from edgetx.compiler.quantized import Quantized
from edgetx.errors import ConfigError
from edgetx.ir import Array, Arrays, Graph, Value
from edgetx.ir.verify import FLOAT, INTEGER, verify
from edgetx.passes.bound_attention import BoundAttention
from edgetx.passes.streaming import Stream, Streamed
from edgetx.quant.restore import plan_of
from edgetx.recipe import Recipe
from edgetx.reference import execute, initial_state


@dataclass(frozen=True)
class StreamOptions:
    """What `--set streaming.KEY=VALUE` says; `step_ms` and what follows holds for models of a clip, too.

    Attributes:
        hop_frames: Frames per hop; 0 for as few as the model's strides allow.
        look_back: Frames that attention without a span may look back at; 0: such attention is refused.
        frame_ms: From one frame to the next, for models that come without a recipe.
        step_ms: From one window to the next, for models of a clip that listen to a stream; 0: a fifth of the clip.
        smoothing_ms: Time over which posteriors are averaged; at least three of them are.
        threshold: Average posterior that makes an event.
        refractory_ms: Time after an event without another.
    """

    hop_frames: int = 0
    look_back: int = 0
    frame_ms: float = 0.0
    step_ms: float = 0.0
    smoothing_ms: float = 200.0
    threshold: float = 0.8
    refractory_ms: float = 1000.0


@dataclass(frozen=True)
class StreamedModel:
    """A model hop by hop beside the clip model.

    Attributes:
        clip: The clip model; its attention is bounded where the user asked for that.
        model: The same hop by hop: float graph, plan and integer graph.
        streamed: Delays and claims of the integer graph.
        options: What the user asked for.
        frame_ms: From one frame to the next; None if that is not known.
    """

    clip: Quantized
    model: Quantized
    streamed: Streamed
    options: StreamOptions
    frame_ms: float | None

    @property
    def hop_ms(self) -> float | None:
        """Length of a hop."""
        return None if self.frame_ms is None else self.streamed.hop * self.frame_ms

    @property
    def look_ahead_ms(self) -> float | None:
        """What the stream waits for beyond the end of a clip."""
        return None if self.frame_ms is None else max(0, self.streamed.lag) * self.frame_ms

    def hops(self, clips: Array) -> Array:
        """Clips, N × frames × …, one after the other as hops, M × hop × …."""
        return as_hops(as_rows(clips, self.streamed.clip_frames), self.streamed.hop)


def parse_stream_options(settings: Mapping[str, str]) -> StreamOptions:
    """The options among the settings of the command line, without their prefix.

    Raises:
        ConfigError: If a value is not a number or not in range.
    """
    parsed: dict[str, float] = {}
    for key, text in settings.items():
        kind = type(getattr(StreamOptions(), key))
        try:
            parsed[key] = kind(text)
        except ValueError:
            raise ConfigError(f"'{text}' is not a number", where=f"streaming.{key}") from None
        if parsed[key] < 0:
            raise ConfigError(f"{text} is negative", where=f"streaming.{key}", hint="0 or more")
    return StreamOptions(**parsed)  # type: ignore[arg-type]


PIECES_PER_CLIP = 8
"""Calibration takes several hops at a time, which is as good and takes less time."""


def for_calibration(graph: Graph, options: StreamOptions) -> Graph:
    """A canonical float graph of a clip as the stream that it will be, some hops at a time.

    Raises:
        StreamError: If a layer cannot run hop by hop.
        ConfigError: If the hop does not fit the model's strides.
    """
    if options.look_back:
        graph = BoundAttention(options.look_back).run(graph)
    streamed = Stream(options.hop_frames).streamed(graph)
    return Stream(streamed.hop * max(1, streamed.clip_frames // PIECES_PER_CLIP // streamed.hop)).run(graph)


def stream_model(clip: Quantized, options: StreamOptions, recipe: Recipe | None) -> StreamedModel:
    """Rewrite a quantized clip model hop by hop; its quantization stays.

    Raises:
        StreamError: If a layer cannot run hop by hop.
        ConfigError: If the hop does not fit the model's strides.
    """
    if options.look_back:
        bound = BoundAttention(options.look_back)
        clip = replace(clip, float_graph=bound.run(clip.float_graph), graph=bound.run(clip.graph))
    streamed = Stream(options.hop_frames).streamed(clip.graph)
    floats = Stream(streamed.hop).run(clip.float_graph)
    verify(streamed.graph, INTEGER, blame=Stream.name)
    verify(floats, FLOAT, blame=Stream.name)
    frame_ms = recipe.frontend.hop_ms if recipe else options.frame_ms or None
    model = Quantized(floats, plan_of(streamed.graph), streamed.graph, clip.imported)
    return StreamedModel(clip, model, streamed, options, frame_ms)


@dataclass
class Equality:
    """How the stream compares with the clip model.

    Attributes:
        claim: What is claimed to be equal.
        compared: Windows compared.
        mismatches: Windows that differ in any bit.
    """

    claim: str
    compared: int = 0
    mismatches: int = 0

    def add(self, expected: Array, found: Array) -> None:
        """Compare one window."""
        self.compared += 1
        self.mismatches += int(not np.array_equal(expected, found))


WINDOWS = "every window of a clip's length: the answer is that of the clip model on it"
FROM_RESET = "a clip right after a reset: the answer is that of the clip model, padding included"
INTERIOR = (
    "frames of a clip that its padding does not reach: the features under the readout are those of the clip model"
)
FRAMES = "frames of a clip that its padding does not reach: their answers are those of the clip model"
FRAMES_FROM_RESET = "frames of a clip right after a reset, padding included: their answers are those of the clip model"
NOTHING = "none: every frame of a clip is reached by its padding, or by a memory that a clip begins empty"


def compare_with_clip(clip: Graph, streamed: Streamed, clips: Array, limit: int = 32) -> Equality:
    """Hold the stream to what it claims.

    Args:
        clip: The integer clip graph.
        streamed: Its stream.
        clips: Quantized inputs, N × clip shape; taken as continuous audio where windows are compared.
        limit: Windows to compare at most.
    """
    if streamed.frame_outputs:
        return _interior(clip, streamed, clips[:limit], FRAMES_FROM_RESET if streamed.from_reset else FRAMES)
    if streamed.from_reset:
        return _from_reset(clip, streamed, clips[:limit])
    if not streamed.padded and not streamed.endless:
        return _windows(clip, streamed, clips, limit)
    return _interior(clip, streamed, clips[:limit], INTERIOR)


def as_rows(clips: Array, frames: int) -> Array:
    """Clips of so many frames one after the other, a row for each frame."""
    return clips.reshape(len(clips) * frames, -1)


def as_hops(rows: Array, hop: int) -> Array:
    """Rows as hops, N × hop × …, without rows that fill no hop."""
    return rows[: len(rows) // hop * hop].reshape(-1, hop, *rows.shape[1:])


def run_hops(streamed: Streamed, frames: Array, *observed: Value) -> Iterator[Arrays]:
    """Outputs, or observed values, of each hop of frames, a row for each, from a reset on."""
    graph = replace(streamed.graph, outputs=observed or streamed.graph.outputs)
    state = initial_state(graph)
    for hop in as_hops(frames, streamed.hop):
        yield execute(graph, [hop], state)


def _from_reset(clip: Graph, streamed: Streamed, clips: Array) -> Equality:
    result = Equality(FROM_RESET)
    for x in clips:
        rows = as_rows(x[None], streamed.clip_frames)
        *_, (last, *_) = run_hops(streamed, rows[: streamed.clip_frames + streamed.lag])
        result.add(execute(clip, [x])[0], last)
    return result


def _windows(clip: Graph, streamed: Streamed, clips: Array, limit: int) -> Equality:
    result = Equality(WINDOWS)
    frames = as_rows(clips, streamed.clip_frames)
    first = max(streamed.ends_with_window, streamed.ready)
    chosen = np.unique(np.linspace(first, len(frames) // streamed.hop, limit).astype(int))
    for count, (found, *_) in enumerate(run_hops(streamed, frames[: chosen[-1] * streamed.hop]), 1):
        start = count * streamed.hop - streamed.clip_frames - streamed.lag
        if count in chosen:
            result.add(execute(clip, [frames[start : start + streamed.clip_frames]])[0], found)
    return result


def _interior(clip: Graph, streamed: Streamed, clips: Array, claim: str) -> Equality:
    result = Equality(claim)
    for name, flow in streamed.bodies.items():
        (value,) = (v for v in clip.values if v.name == name)
        body = replace(clip, outputs=(value,)).without_dead_code()
        for x in clips:
            rows = as_rows(x[None], streamed.clip_frames)
            whole = np.moveaxis(execute(body, [x])[0], flow.axis, 0)
            found = np.concatenate([np.moveaxis(f, flow.axis, 0) for (f,) in run_hops(streamed, rows, flow.value)])
            begin, end = (
                0 if streamed.from_reset else max(0, flow.ready - flow.delay),
                min(len(whole), len(found) - flow.delay),
            )
            if begin < end:
                result.add(whole[begin:end], found[begin + flow.delay : end + flow.delay])
    return result if result.compared else Equality(NOTHING)


def summary(streaming: StreamedModel, equality: Equality, measured: Mapping[str, object]) -> dict[str, object]:
    """The `streaming` section of the report."""
    streamed = streaming.streamed
    return {
        "hop_ms": streaming.hop_ms,
        "look_ahead_ms": streaming.look_ahead_ms,
        "windows_compared": equality.compared,
        "mismatches": equality.mismatches,
        "duty_cycle": None,
        "worst_hop_cycles": None,
        "claim": equality.claim,
        "hop_frames": streamed.hop,
        "clip_frames": streamed.clip_frames,
        "lag_frames": streamed.lag,
        "warm_up_hops": streamed.ready,
        "look_back": streaming.options.look_back or None,
        **measured,
    }
