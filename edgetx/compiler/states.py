"""How wide the states of a stream have to be: the drift of each width, measured against the float model.

A ring holds what a layer computed, in its own width, and adds no error. What a recurrence keeps is rounded anew at
every step, and the rounding may pile up: so the float model runs over the calibration audio with nothing rounded but
what its recurrences keep, at each width, and its answers are held against those of the float model itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgetx.fixedpoint import dequantize
from edgetx.ir import Array, Graph, State
from edgetx.ops.recurrence import Recurrence
from edgetx.passes.streaming import Streamed
from edgetx.quant.apply import signal_to_noise_db
from edgetx.reference import execute, initial_state

WIDTHS = (8, 16, 32)
KERNEL_BITS = 16
"""Width in which the kernels of recurrences keep their states; eight would not do for a recurrent matrix."""
ALONE_HOPS = 300
"""Hops on which each recurrent state is rounded alone."""
NEGLIGIBLE_DB = 50.0
"""Noise that far below the answers is a hundredth of what eight-bit activations make."""
HEADROOM = 1.25
"""A state may go beyond what it was while its range was observed."""


@dataclass(frozen=True)
class Width:
    """Answers with recurrences that keep so many bits and nothing else rounded.

    Attributes:
        bits: The width.
        first_db: Power of the answers over that of their error, in the first quarter of the audio.
        last_db: The same in the last quarter: lower, if errors pile up.
    """

    bits: int
    first_db: float
    last_db: float


@dataclass(frozen=True)
class Kept:
    """One state.

    Attributes:
        name: Its name.
        recurrent: Whether a recurrence keeps it; else it is a ring.
        shape: Of a ring, with as many frames as it holds.
        bits: Width of an element.
        nbytes: Its size.
        begins: What a reset puts into all elements, in real units; None if they differ.
        noise_db: Power of the answers over that of the error that keeping this state in so many bits makes; None if it
            makes none, as rings do, or was not measured.
    """

    name: str
    recurrent: bool
    shape: tuple[int, ...]
    bits: int
    nbytes: int
    begins: float | None
    noise_db: float | None


@dataclass(frozen=True)
class StateWidths:
    """The states of a stream.

    Attributes:
        rings: Bytes of rings, which keep values as layers computed them.
        recurrent: Bytes of what recurrences keep.
        widths: What was measured of the latter; empty if there are none.
        needed: The narrowest width whose error is negligible from beginning to end; None if none is.
        used: That of the kernels.
        kept: State by state.
    """

    rings: int
    recurrent: int
    widths: Sequence[Width]
    needed: int | None
    used: int | None
    kept: Sequence[Kept]


def measure_states(streamed: Streamed, floats: Graph, hops: Array) -> StateWidths:
    """Measure what widths of recurrent states do to the answers.

    Args:
        streamed: The stream in integers.
        floats: The float graph of a hop.
        hops: Quantized inputs, hop by hop.
    """
    names = _recurrent(floats)
    widths: list[Width] = []
    noise: dict[str, float] = {}
    if names and len(hops):
        kind = streamed.graph.inputs[0].type
        real = dequantize(hops, kind.scale, kind.zero_point)
        exact, peaks = _run(floats, real, dict.fromkeys(names, 0.0))
        widths = [_width(bits, floats, real, exact, peaks) for bits in WIDTHS]
        few = real[:ALONE_HOPS]
        for name in names:
            rounded, _ = _run(floats, few, {name: _step(peaks[name], KERNEL_BITS)})
            noise[name] = signal_to_noise_db(exact[: len(few)], rounded)
    kept = [_kept(state, state.name in names, noise.get(state.name)) for state in streamed.graph.states]
    recurrent = sum(state.nbytes for state in kept if state.recurrent)
    rings = sum(state.nbytes for state in kept) - recurrent
    enough = (w.bits for w in widths if min(w.first_db, w.last_db) >= NEGLIGIBLE_DB)
    return StateWidths(rings, recurrent, widths, next(enough, None), KERNEL_BITS if names else None, kept)


def _width(bits: int, floats: Graph, real: Array, exact: NDArray[np.float64], peaks: Mapping[str, float]) -> Width:
    """What all recurrent states in so many bits do to the answers."""
    rounded, _ = _run(floats, real, {name: _step(peak, bits) for name, peak in peaks.items()})
    first, *_, last = zip(np.array_split(exact, 4), np.array_split(rounded, 4), strict=True)
    return Width(bits, signal_to_noise_db(*first), signal_to_noise_db(*last))


def _step(peak: float, bits: int) -> float:
    """Step of a state of so many bits that became as large as `peak`."""
    return HEADROOM * peak / float(2 ** (bits - 1) - 1)


def _kept(state: State, recurrent: bool, noise_db: float | None) -> Kept:
    kind = state.read.type
    real = np.unique(state.init if kind.is_float else dequantize(state.init, kind.scale, kind.zero_point))
    begins = float(real[0]) if len(real) == 1 else None
    noise = None if noise_db is None or np.isinf(noise_db) else noise_db
    return Kept(state.name, recurrent, kind.shape, 8 * state.init.itemsize, kind.nbytes, begins, noise)


def _recurrent(graph: Graph) -> set[str]:
    """Names of the states that recurrences read."""
    reads = {node.inputs[-1].name for node in graph.nodes if isinstance(node.op, Recurrence)}
    return {state.name for state in graph.states if state.read.name in reads}


def _run(graph: Graph, hops: Array, steps: Mapping[str, float]) -> tuple[NDArray[np.float64], dict[str, float]]:
    """Answers with some states rounded to multiples of a step, not if that is 0; and how large those states became."""
    state, peaks = initial_state(graph), dict.fromkeys(steps, 0.0)
    answers = []
    for hop in hops:
        answers.append(execute(graph, [hop], state)[0].reshape(-1))
        for name, step in steps.items():
            peaks[name] = max(peaks[name], float(np.abs(state[name]).max()))
            if step:
                state[name] = (np.rint(state[name] / step) * step).astype(state[name].dtype)
    return np.stack(answers).astype(np.float64), peaks
