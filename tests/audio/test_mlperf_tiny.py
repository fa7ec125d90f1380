"""The preset of the MLPerf Tiny keyword benchmark against the benchmark's own features and model.

The benchmark divides a clip by its largest sample, which needs the whole clip: here that is done to the audio first.
"""

import numpy as np
import pytest

from edgetx.audio import read_clip
from edgetx.audio.frontend import FixedPointFrontEnd
from edgetx.audio.quantizer import fit_quantizer
from edgetx.recipe import FRONT_ENDS

RATE, SCALE, ZERO_POINT = 16_000, 0.5847029089927673, 83


@pytest.fixture(scope="module")
def benchmark(shared_data):
    """Audio, the benchmark's features, labels."""
    folder = shared_data / "audio" / "mlperf_tiny_kws_test"
    with np.load(folder / "mfcc_int8.npz") as file:
        audio = np.stack([read_clip(folder / str(path), RATE) for path in file["path"]])
        return audio, file["x"], file["y"]


@pytest.fixture(scope="module")
def features(benchmark):
    """Our features of clips of full scale: to nearest, and truncated as the benchmark does."""
    audio = benchmark[0]
    loud = np.clip(np.rint(audio * (32767 / audio.max(axis=1, keepdims=True))), -32768, 32767).astype(np.int16)
    front = FixedPointFrontEnd(FRONT_ENDS["mlperf_tiny_kws"], RATE)
    q9 = front.project(front.log_mel(loud))
    truncated = np.clip(np.trunc(front.normalize(q9) / SCALE + ZERO_POINT), -128, 127).astype(np.int8)
    return fit_quantizer(front, SCALE, ZERO_POINT)(q9), truncated


def test_features_are_close_to_the_benchmarks(benchmark, features):
    """Most of the others are in frames with a band near the resolution of the spectrum, above the benchmark's 1e-6."""
    difference = np.abs(features[1].astype(int) - benchmark[1])
    assert (difference == 0).mean() > 0.9
    assert (difference <= 1).mean() > 0.98


@pytest.mark.runtimes
def test_ds_cnn_answers_as_with_the_benchmarks_features(shared_data, benchmark, features):
    from edgetx.runtimes.litert import LitertRuntime

    model = LitertRuntime((shared_data / "models" / "mlperf_kws_dscnn_int8.tflite").read_bytes())

    def correct(x):
        return sum(int(model.run((clip[None, ..., None],))[0].argmax()) == y for clip, y in zip(x, labels, strict=True))

    labels = benchmark[2]
    assert correct(benchmark[1]) == 460
    assert [correct(x) for x in features] == [459, 456]
