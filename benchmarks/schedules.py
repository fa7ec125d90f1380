"""Schedules that come with edgetx: the fastest forms of layers of many sizes, by board.

python benchmarks/schedules.py nucleo-l4r5zi > targets/schedules/cortex-m4.toml
"""

import itertools
import sys
from collections.abc import Iterator

from kernels import Network, quantized

from edgetx.compiler.tuning import tune
from edgetx.ir import Graph
from edgetx.plan.schedule import schedule_text
from edgetx.targets import load_target

ROWS, INPUTS, OUTPUTS = (50,), (32, 64, 128, 256), (16, 64)
IMAGES = (
    ((49, 40, 1), (3, 3), 8),
    ((49, 10, 1), (10, 4), 64),
    ((25, 20, 8), (3, 3), 16),
    ((25, 10, 16), (3, 3), 16),
    ((1, 49, 32), (1, 3), 32),
    ((1, 49, 64), (1, 3), 64),
)
WIDTHS = (32, 64)


def layers() -> Iterator[Graph]:
    """Layers of the sizes that models of audio have."""
    for rows, inputs, outputs in itertools.product(ROWS, INPUTS, OUTPUTS):
        yield Network("layer", (1, rows, inputs), lambda net, x, outputs=outputs: net.dense(x, outputs)).graph
    for image, window, outputs in IMAGES:
        layer = lambda net, x, window=window, outputs=outputs: net.conv(x, outputs, window)  # noqa: E731
        yield Network("layer", (1, *image), layer).graph
    for width in WIDTHS:
        yield Network("layer", (1, 49, width), lambda net, x: net.norm(x)).graph


def main() -> None:
    (board,) = sys.argv[1:]
    command = f"python benchmarks/schedules.py {board}"
    tuned = tune(map(quantized, layers()), load_target(board), command, lambda stage: print(stage, file=sys.stderr))
    print(schedule_text(tuned), end="")


if __name__ == "__main__":
    main()
