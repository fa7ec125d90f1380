"""Whether the front end gives the same bits everywhere, over every recording of a folder.

    python benchmarks/frontend_agreement.py ../shared/data/audio > benchmarks/results/frontend_agreement.md

Counts the quantized features in which torch, C on this machine and C on simulated cores differ from the specification
in numpy. The simulated cores run without counting cycles, each booted once. Recordings go in pieces of two seconds, the
last one as long as it is. About 12 minutes for each front end and two hours of audio.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from edgetx.audio import read_clip
from edgetx.audio.frontend import FixedPointFrontEnd
from edgetx.recipe import FRONT_ENDS

sys.path.append(str(Path(__file__).parents[1] / "tests" / "audio"))
from c_frontend import CFrontEnd, SimulatedFrontEnd

RATE = 16_000
PIECE = 2 * RATE
BOARDS = ("nucleo-g0b1re", "nucleo-l4r5zi")


def pieces(folder: Path) -> Iterator[np.ndarray]:
    for path in sorted(folder.rglob("*.flac")):
        clip = read_clip(path, RATE)
        yield from (clip[start : start + PIECE] for start in range(0, len(clip), PIECE))


def count(preset: str, folder: Path, boards: tuple[str, ...]) -> tuple[int, float, dict[str, int]]:
    """Values compared, seconds of audio, and values that differ by place."""
    c = CFrontEnd(FRONT_ENDS[preset])
    cores = {board: SimulatedFrontEnd(c, board) for board in boards}
    twin = FixedPointFrontEnd(FRONT_ENDS[preset], RATE, torch)
    values, samples = 0, 0
    differing = dict.fromkeys(("torch", "host C", *cores), 0)
    for piece in pieces(folder):
        if len(piece) < c.front.length:
            continue
        rows = c.reference(piece[None])[0]
        values, samples = values + rows.size, samples + len(piece)
        features = twin.project(twin.log_mel(torch.from_numpy(piece[None].copy())))
        found = {"torch": c.quantizer(features.numpy())[0], "host C": c.on_host(piece)}
        found |= {board: core.rows(piece) for board, core in cores.items()}
        for place, other in found.items():
            differing[place] += int((other != rows).sum())
    return values, samples / RATE, differing


def main() -> None:
    parser = argparse.ArgumentParser(description="Count values in which front ends differ.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--presets", default=",".join(FRONT_ENDS))
    parser.add_argument("--boards", default=",".join(BOARDS))
    options = parser.parse_args()
    boards = tuple(options.boards.split(","))
    print(f"| front end | hours of audio | values | {' | '.join(('torch', 'host C', *boards))} |")
    print(f"|---|{'---:|' * (4 + len(boards))}")
    for preset in options.presets.split(","):
        started = time.monotonic()
        values, seconds, differing = count(preset, options.folder, boards)
        print(
            f"| {preset} | {seconds / 3600:.2f} | {values:,} | {' | '.join(map(str, differing.values()))} |", flush=True
        )
        print(f"{preset}: {time.monotonic() - started:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
