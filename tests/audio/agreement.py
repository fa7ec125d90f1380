"""Counting where front ends differ, over every recording of a folder."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from c_frontend import CFrontEnd, SimulatedFrontEnd

from edgetx.audio import read_clip
from edgetx.audio.frontend import FixedPointFrontEnd
from edgetx.recipe import FRONT_ENDS

RATE = 16_000
PIECE = 2 * RATE
"""Samples that are extracted at once; the last piece of a recording is as long as it is."""


@dataclass(frozen=True)
class Agreement:
    """Quantized features compared, hours of audio, and how many differ from numpy's, by place."""

    values: int
    hours: float
    differing: dict[str, int]


def compare(preset: str, folder: Path, boards: tuple[str, ...]) -> Agreement:
    """torch, C on this machine and C on simulated cores, each booted once and not counting cycles."""
    c = CFrontEnd(FRONT_ENDS[preset])
    cores = {board: SimulatedFrontEnd(c, board) for board in boards}
    twin = FixedPointFrontEnd(FRONT_ENDS[preset], RATE, torch)
    values, samples = 0, 0
    differing = dict.fromkeys(("torch", "host C", *cores), 0)
    for piece in _pieces(folder, c.front.length):
        rows = c.reference(piece[None])[0]
        values, samples = values + rows.size, samples + len(piece)
        features = twin.project(twin.log_mel(torch.from_numpy(piece[None].copy())))
        found = {"torch": c.quantizer(features.numpy())[0], "host C": c.on_host(piece)}
        found |= {board: core.rows(piece) for board, core in cores.items()}
        for place, other in found.items():
            differing[place] += int((other != rows).sum())
    return Agreement(values, samples / RATE / 3600, differing)


def _pieces(folder: Path, shortest: int) -> Iterator[np.ndarray]:
    for path in sorted(folder.rglob("*.flac")):
        clip = read_clip(path, RATE)
        pieces = (clip[start : start + PIECE] for start in range(0, len(clip), PIECE))
        yield from (piece for piece in pieces if len(piece) >= shortest)
