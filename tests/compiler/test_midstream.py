"""Answers to clips in the middle of a stream: the one at the end of each clip counts."""

from types import SimpleNamespace

import numpy as np
from architectures import recipe

from edgetx.compiler.midstream import accuracy_in_stream
from edgetx.data.stream import Placed
from edgetx.recipe import samples

CLASSES = 3


class Parrot:
    """Answers with the class written into the hop that completes a clip; before it has heard `warm` hops, with 0."""

    name = "int"

    def __init__(self, warm=0):
        self.warm, self.heard = warm, 0

    def reset(self):
        self.heard = 0

    def run(self, inputs):
        self.heard += 1
        told = int(inputs[0].reshape(-1)[0]) if self.heard > self.warm else 0
        return (np.eye(CLASSES, dtype=np.int8)[told][None],)


def listened(warm):
    made = recipe("lmuformer-causal", {}, classes=CLASSES, clip_ms=500.0)
    frame, length = samples(made.frontend.hop_ms, made.data.sample_rate_hz), made.input_shape[0]
    hops, placed = np.zeros((400, 1, 1, 4), np.int8), []
    names = made.data.classes
    for index, start in enumerate(range(7, 300, length + 11)):
        label = index % CLASSES
        placed.append(Placed(start * frame - frame // 3, length * frame, names[label], "", ""))
        hops[start + length - 1] = label  # the hop in which the last sample of the clip is
    graph = SimpleNamespace(outputs=[SimpleNamespace(type=SimpleNamespace(size=CLASSES))])
    parts = {"hop": 1, "clip_frames": length, "ends_with_window": length, "graph": graph}
    streaming = SimpleNamespace(streamed=SimpleNamespace(**parts))
    return accuracy_in_stream(streaming, made, Parrot(warm), hops, placed), len(placed)


def test_the_answer_is_the_one_at_the_end_of_each_clip():
    found, placed = listened(warm=0)
    assert (found.clips, found.running, found.reset) == (placed, 1.0, 1.0)


def test_a_stream_that_needs_to_warm_up_is_wrong_after_each_reset():
    found, _ = listened(warm=24)
    assert found.running > 0.8 > found.reset
