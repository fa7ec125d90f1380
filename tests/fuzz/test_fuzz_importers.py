"""A short run of the fuzzer over the importers, and files that are no models at all."""

import itertools
import random

import pytest
from fuzz_importers import attempts, outcome, seeds, try_onnx, try_tflite

ATTEMPTS = 400


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", range(3))
def test_damaged_files_are_refused_or_imported(seed: int) -> None:
    found = itertools.islice(attempts(random.Random(seed), *seeds()), ATTEMPTS)
    results = {outcome(importer, damaged) for importer, damaged in found}
    assert results == {"imported", "refused"}


@pytest.mark.parametrize("content", [b"", b"TFL3", bytes(8), b"\0\0\0\0TFL3", b"\xff" * 64])
def test_what_is_no_model_is_refused(content: bytes) -> None:
    assert outcome(try_tflite, content) == "refused"
    assert outcome(try_onnx, content) == "refused"


def test_every_truncation_of_a_head_is_refused() -> None:
    (tflite,), (onnx_file, *_) = seeds()
    for end in range(0, 256, 3):
        assert outcome(try_tflite, tflite[:end]) == "refused"
        assert outcome(try_onnx, onnx_file[:end]) == "refused"
