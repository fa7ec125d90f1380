"""Streams held to their claims on long continuous audio: minutes bit by bit, an hour for drift.

python benchmarks/streaming.py COMPILED_FOLDER DATA [NOISE] [MINUTES] [DRIFT_MINUTES] > benchmarks/results/streaming.md

COMPILED_FOLDER comes from `edgetx compile MODEL --stream`; DATA is a folder of audio with a split CSV, whose test
clips are put over the recordings in NOISE.
"""

import ctypes
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgetx.compiler.artifact import Artifact, is_installed, load_artifact
from edgetx.compiler.rows import quantized_rows
from edgetx.compiler.streaming import as_hops, run_hops
from edgetx.data.stream import Mix, stream_of_folder
from edgetx.decision import Decider, Decision
from edgetx.firmware import build_host_library
from edgetx.fixedpoint import dequantize
from edgetx.passes.streaming import Stream, Streamed
from edgetx.recipe import samples
from edgetx.reference import execute, initial_state
from edgetx.runtimes.onnxruntime import tensor_differences

CHUNK_SAMPLES = 160_000
ONNX_TENSOR_HOPS = 200
LONG_HOP = 500


def rows_of(artifact: Artifact, audio: NDArray[np.int16]) -> NDArray[np.int8]:
    """Continuous audio through the front end, in pieces that fit the memory."""
    assert artifact.recipe is not None
    pieces = (audio[i : i + CHUNK_SAMPLES] for i in range(0, len(audio), CHUNK_SAMPLES))
    return np.concatenate(list(quantized_rows(artifact.recipe, artifact.graph.inputs[0].type, pieces)))


def continuous(artifact: Artifact, data: Path, noise: Path | None, minutes: float) -> NDArray[np.int16]:
    """Test clips over noise."""
    mix = Mix(gap_low_s=0.1, gap_high_s=1.0)
    return np.asarray(stream_of_folder(data, "test", noise, 60 * minutes, _rate(artifact), mix)[0], np.int16)


def whole_hops(library: Path, hop_samples: int, classes: int, audio: NDArray[np.int16]) -> Iterator[tuple[bytes, int]]:
    """Logits and label of the event, or -1, of each hop by `stream.c`."""
    model = ctypes.CDLL(str(library))
    model.edgetx_output.restype = ctypes.c_void_p
    model.edgetx_stream_reset()
    event = (ctypes.c_int32 * 3)()
    for hop in audio[: len(audio) // hop_samples * hop_samples].reshape(-1, hop_samples):
        samples = np.ascontiguousarray(hop)
        heard = model.edgetx_stream_push(ctypes.c_void_p(samples.ctypes.data), event)
        yield ctypes.string_at(model.edgetx_output(0), classes), event[0] if heard else -1


def compare_minutes(artifact: Artifact, streamed: Streamed, audio: NDArray[np.int16], decision: Decision) -> None:
    """Every hop of the audio in every runtime against the integer reference, and clips against the clip model."""
    graph, clip = artifact.graph, artifact.clip_graph
    assert clip is not None
    rows = rows_of(artifact, audio)
    hops = as_hops(rows, streamed.hop)
    shaped = [(hop.reshape(graph.inputs[0].shape),) for hop in hops]
    expected = [y.tobytes() for (y, *_) in run_hops(streamed, rows)]
    print("| compared | hops or windows | different |\n|---|--:|--:|")
    opened = artifact.runtime("c")
    found = [opened.run(x)[0].tobytes() for x in shaped]
    print(f"| model in C == integer reference | {len(found)} | {_differences(found, expected)} |", flush=True)
    assert artifact.recipe is not None
    hop_samples = streamed.hop * samples(artifact.recipe.frontend.hop_ms, _rate(artifact))
    out = graph.outputs[0].type
    decider, labels = Decider(decision, out.size, out.scale), []
    for y in expected:
        event = decider.push(np.frombuffer(y, np.int8))
        labels.append(-1 if event is None else event.label)
    with tempfile.TemporaryDirectory() as folder:
        library = build_host_library(artifact.file("c"), Path(folder) / "hop.so")
        whole = list(whole_hops(library, hop_samples, out.size, audio))
    wrong = _differences(whole, list(zip(expected, labels, strict=True)))
    print(f"| samples to events in C == reference | {len(whole)} ({sum(x >= 0 for x in labels)} events) | {wrong} |")
    _clips(artifact, streamed, rows)
    if is_installed("tflm") and "tflite" in artifact.report["artifacts"]:  # type: ignore[operator]
        opened = artifact.runtime("tflm")
        opened.reset()
        found = [opened.run(x)[0].tobytes() for x in shaped]
        print(f"| TFLite Micro == C | {len(found)} | {_differences(found, expected)} |", flush=True)
    if is_installed("onnxruntime") and "onnx" in artifact.report["artifacts"]:  # type: ignore[operator]
        worst = tensor_differences(graph, artifact.file("model.onnx").read_bytes(), shaped[:ONNX_TENSOR_HOPS])
        print(
            f"| ONNX Runtime, tensor by tensor, units in the last place | {ONNX_TENSOR_HOPS} | {max(worst.values())} |"
        )
        opened = artifact.runtime("onnxruntime")
        opened.reset()
        apart = [
            np.frombuffer(e, np.int8).astype(int) - opened.run(x)[0].reshape(-1)
            for x, e in zip(shaped, expected, strict=True)
        ]
        print(f"| ONNX Runtime, answers, units in the last place | {len(apart)} | {np.abs(apart).max()} |", flush=True)


def _clips(artifact: Artifact, streamed: Streamed, rows: NDArray[np.int8]) -> None:
    """Windows of a clip's length, one after the other, against the clip model."""
    clip = artifact.clip_graph
    assert clip is not None
    opened, wrong, count = artifact.runtime("c"), 0, 0
    length, shape = streamed.clip_frames, artifact.graph.inputs[0].shape
    windows = rows[: len(rows) // length * length].reshape(-1, length, rows.shape[-1])
    if streamed.from_reset:
        for window in windows:
            opened.reset()
            answers = [opened.run((hop.reshape(shape),))[0] for hop in as_hops(window, streamed.hop)]
            wrong += int(not np.array_equal(answers[streamed.ends_with_window - 1], execute(clip, [window])[0]))
            count += 1
        print(f"| C from a reset == clip model, every clip of the audio | {count} | {wrong} |", flush=True)
    elif not streamed.padded and not streamed.endless:
        for hop, found in enumerate(run_hops(streamed, rows), 1):
            start = hop * streamed.hop - length - streamed.lag
            if hop >= max(streamed.ready, streamed.ends_with_window) and hop % 10 == 0:
                wrong += int(not np.array_equal(found[0], execute(clip, [rows[start : start + length]])[0]))
                count += 1
        print(f"| stream == clip model, every tenth window | {count} | {wrong} |", flush=True)
    else:
        count, wrong = _interior(artifact, streamed, windows)
        print(f"| frames beyond the padding == clip model, clips | {count} | {wrong} |", flush=True)


def _interior(artifact: Artifact, streamed: Streamed, windows: NDArray[np.int8]) -> tuple[int, int]:
    from edgetx.compiler.streaming import compare_with_clip

    assert artifact.clip_graph is not None
    result = compare_with_clip(artifact.clip_graph, streamed, windows, len(windows))
    return result.compared, result.mismatches


def compare_hour(artifact: Artifact, streamed: Streamed, audio: NDArray[np.int16]) -> None:
    """The stream in C against the float model; the bound is the worst error of the clip model."""
    clip, floats = artifact.clip_graph, artifact.float_clip_graph
    assert clip is not None
    assert floats is not None
    kind, out = artifact.graph.inputs[0].type, artifact.graph.outputs[0].type
    rows = rows_of(artifact, audio)
    long = LONG_HOP * streamed.hop
    slow = Stream(long).run(floats)
    state, opened = initial_state(slow), artifact.runtime("c")
    opened.reset()
    errors: list[float] = []
    for piece in as_hops(rows, long):
        real = dequantize(piece, kind.scale, kind.zero_point)
        (wanted, *_) = execute(slow, [real], state)
        for hop in as_hops(piece, streamed.hop):
            (answer, *_) = opened.run((hop.reshape(artifact.graph.inputs[0].shape),))
        errors.append(float(np.abs(dequantize(answer, out.scale, out.zero_point) - wanted).max()))
    windows = rows[: len(rows) // streamed.clip_frames * streamed.clip_frames]
    windows = windows.reshape(-1, streamed.clip_frames, rows.shape[-1])[:600]
    own = max(
        float(np.abs(dequantize(execute(clip, [w])[0], out.scale, out.zero_point)
                     - execute(floats, [dequantize(w, kind.scale, kind.zero_point)])[0]).max())
        for w in windows
    )  # fmt: skip
    parts = np.array_split(np.array(errors), 6)
    minutes = len(audio) / (60 * _rate(artifact))
    print(f"\nDrift over {minutes:.0f} minutes: distance of the logits from the float model's, at {len(errors)} times.")
    print(f"Bound: {own:.4f}, the largest that the clip model has on {len(windows)} clips of the same audio.\n")
    print("| sixth | " + " | ".join(str(i + 1) for i in range(6)) + " |\n|---|" + "--:|" * 6)
    print("| largest | " + " | ".join(f"{part.max():.4f}" for part in parts) + " |")
    print("| mean | " + " | ".join(f"{part.mean():.4f}" for part in parts) + " |")
    print(f"\nWithin the bound: {'yes' if max(errors) <= own else 'no'}.")


def _rate(artifact: Artifact) -> int:
    assert artifact.recipe is not None
    return artifact.recipe.data.sample_rate_hz


def _differences(found: list, expected: list) -> int:  # type: ignore[type-arg]
    return sum(a != b for a, b in zip(found, expected, strict=True))


def main(folder: str, data: str, noise: str = "", minutes: str = "10", drift_minutes: str = "60") -> None:
    artifact = load_artifact(Path(folder))
    section = artifact.report["streaming"]
    assert isinstance(section, dict)
    assert artifact.clip_graph is not None
    streamed = Stream(section["hop_frames"]).streamed(artifact.clip_graph)
    assert artifact.recipe is not None
    names = artifact.recipe.data.classes
    background = tuple(i for i, name in enumerate(names) if name.startswith("_"))
    smoothing, refractory = max(1, round(200 / section["hop_ms"])), round(1000 / section["hop_ms"])
    decision = Decision(smoothing, 0.8, refractory, background)
    source = artifact.report["source"]
    assert isinstance(source, dict)
    print(f"`{source['name']}`, hops of {section['hop_ms']:g} ms, {minutes} minutes: {section['claim']}.\n")
    noises = Path(noise) if noise else None
    compare_minutes(artifact, streamed, continuous(artifact, Path(data), noises, float(minutes)), decision)
    compare_hour(artifact, streamed, continuous(artifact, Path(data), noises, float(drift_minutes)))


if __name__ == "__main__":
    main(*sys.argv[1:])
