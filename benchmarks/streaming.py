"""Streams held to their claims on long continuous audio: minutes bit by bit, an hour for drift; early decision, cost.

python benchmarks/streaming.py COMPILED_FOLDER... --data DATA --noise NOISE > section.md

The folders come from `edgetx compile MODEL --stream`, one for each board; all is measured on the first, hops on each.
DATA is a folder of audio with a split CSV, whose test clips are put over the recordings in NOISE.
"""

import argparse
import ctypes
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgetx.compiler.artifact import Artifact, is_installed, load_artifact
from edgetx.compiler.drift import answers_of, distance_of, memory_of
from edgetx.compiler.evaluation import answers_along, evaluation_data
from edgetx.compiler.listening import answers, in_chunks, make_listener
from edgetx.compiler.rows import quantized_rows
from edgetx.compiler.streaming import as_hops, compare_with_clip, run_hops
from edgetx.data.stream import Mix, Placed, stream_of_folder
from edgetx.decision import Decision, events, smoothed
from edgetx.evaluation import Event, spot
from edgetx.evaluation.spotting import Point, Track
from edgetx.firmware import build_host_library
from edgetx.passes.streaming import Stream, Streamed
from edgetx.recipe import samples
from edgetx.runtimes.onnxruntime import tensor_differences

PIECE_MINUTES = 10.0
DENSE = Mix(gap_low_s=0.1, gap_high_s=1.0)
"""Many words, for the models; decisions are timed on those of `edgetx data stream`, half a second to three apart."""
CHUNK_SAMPLES = 160_000
ONNX_TENSOR_HOPS = 200
THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)


def pieces_of(
    artifact: Artifact, data: Path, noise: Path | None, minutes: float, mix: Mix = DENSE
) -> Iterator[tuple[NDArray[np.int16], list[Placed]]]:
    """Test clips over noise, ten minutes at a time, no piece like another."""
    for seed in range(max(1, round(minutes / PIECE_MINUTES))):
        seconds = 60 * min(minutes, PIECE_MINUTES)
        audio, placed = stream_of_folder(data, "test", noise, seconds, _rate(artifact), replace(mix, seed=seed))
        yield np.asarray(audio, np.int16), placed


def hops_of(artifact: Artifact, streamed: Streamed, audio: Sequence[NDArray[np.int16]]) -> NDArray[np.int8]:
    """Continuous audio through the front end as hops, in the shape of the model's input."""
    assert artifact.recipe is not None
    (source,) = artifact.graph.inputs
    chunks = (piece[i : i + CHUNK_SAMPLES] for piece in audio for i in range(0, len(piece), CHUNK_SAMPLES))
    rows = np.concatenate(list(quantized_rows(artifact.recipe, source.type, chunks)))
    return np.asarray(as_hops(rows, streamed.hop).reshape(-1, *source.shape))


def whole_hops(library: Path, hop_samples: int, classes: int, audio: NDArray[np.int16]) -> Iterator[tuple[bytes, int]]:
    """Logits and label of the event, or -1, of each hop by `stream.c`."""
    model = ctypes.CDLL(str(library))
    model.edgetx_output.restype = ctypes.c_void_p
    model.edgetx_stream_reset()
    event = (ctypes.c_int32 * 3)()
    for hop in audio[: len(audio) // hop_samples * hop_samples].reshape(-1, hop_samples):
        pushed = np.ascontiguousarray(hop)
        heard = model.edgetx_stream_push(ctypes.c_void_p(pushed.ctypes.data), event)
        yield ctypes.string_at(model.edgetx_output(0), classes), event[0] if heard else -1


def print_equality(artifact: Artifact, streamed: Streamed, audio: NDArray[np.int16], decision: Decision) -> None:
    """Every hop of the audio in every runtime against the integer reference, and clips against the clip model."""
    assert artifact.clip_graph is not None
    graph, hops = artifact.graph, hops_of(artifact, streamed, [audio])
    rows = hops.reshape(len(hops) * streamed.hop, -1)
    expected = np.stack([y.reshape(-1) for (y, *_) in run_hops(streamed, rows)]).astype(np.int64)
    print("| compared | hops or windows | different |\n|---|--:|--:|")
    in_c = answers_of(artifact.runtime("c"), hops)
    print(f"| model in C == integer reference | {len(hops)} | {_differing(in_c, expected)} |")
    _print_whole_hops(artifact, streamed, audio, expected, decision)
    windows = rows[: len(rows) // streamed.clip_frames * streamed.clip_frames]
    windows = windows.reshape(-1, *artifact.clip_graph.inputs[0].shape)
    equality = compare_with_clip(artifact.clip_graph, streamed, windows, len(windows))
    print(f"| stream == clip model, as claimed | {equality.compared} | {equality.mismatches} |", flush=True)
    made = artifact.report["artifacts"]
    assert isinstance(made, dict)
    if is_installed("tflm") and "tflite" in made:
        found = answers_of(artifact.runtime("tflm"), hops)
        print(f"| TFLite Micro == C, hop by hop | {len(found)} | {_differing(found, expected)} |", flush=True)
    if is_installed("onnxruntime") and "onnx" in made:
        steps = [(hop,) for hop in hops[:ONNX_TENSOR_HOPS]]
        worst = tensor_differences(graph, artifact.file("model.onnx").read_bytes(), steps)
        print("\n| ONNX Runtime, steps from the reference | hops | 0 | 1 | 2 | 3 or more |\n|---|--:|--:|--:|--:|--:|")
        _print_steps(
            "every tensor, from the reference's operands (tensors)", len(steps), np.array(list(worst.values()))
        )
        apart = np.abs(answers_of(artifact.runtime("onnxruntime"), hops) - expected)
        _print_steps("answers, end to end (logits)", len(apart), apart.reshape(-1))


def _print_whole_hops(
    artifact: Artifact, streamed: Streamed, audio: NDArray[np.int16], expected: NDArray[np.int64], decision: Decision
) -> None:
    assert artifact.recipe is not None
    hop_samples = streamed.hop * samples(artifact.recipe.frontend.hop_ms, _rate(artifact))
    out = artifact.graph.outputs[0].type
    heard = {
        event.hop: event.label
        for event in events(smoothed(expected.astype(np.int8), out.scale, decision.smoothing), decision)
    }
    with tempfile.TemporaryDirectory() as folder:
        library = build_host_library(artifact.file("c"), Path(folder) / "hop.so")
        found = list(whole_hops(library, hop_samples, out.size, audio))
    wanted = [(y.astype(np.int8).tobytes(), heard.get(i, -1)) for i, y in enumerate(expected)]
    wrong = sum(a != b for a, b in zip(found, wanted, strict=True))
    print(f"| samples to events in C == reference | {len(found)} ({len(heard)} events) | {wrong} |", flush=True)


def _print_steps(what: str, hops: int, apart: NDArray[np.int64]) -> None:
    shares = " | ".join(f"{np.mean(apart == n):.2%}" for n in range(3))
    print(f"| {what} | {hops} | {shares} | {np.mean(apart > 2):.3%}, at most {apart.max()} |", flush=True)


def print_hour(artifact: Artifact, streamed: Streamed, data: Path, noise: Path | None, minutes: float) -> None:
    """The stream in C after an hour: beside streams that begin anew, and beside the float model."""
    section = _section(artifact)
    audio = [piece for piece, _ in pieces_of(artifact, data, noise, minutes)]
    hops, runtime = hops_of(artifact, streamed, audio), artifact.runtime("c")
    answered = answers_of(runtime, hops)
    memory = memory_of(streamed, runtime, hops, answered)
    assert memory is not None
    after = "not for sure" if memory.hops is None else f"bit for bit after {memory.hops} hops"
    why = "as its rings hold no more" if memory.proven else "measured"
    print(f"\nDrift over {minutes:.0f} minutes: {memory.starts} streams begin anew, the last near the end.")
    print(f"Their answers are those of the one that runs throughout {after} ({why});")
    print(f"beyond that they are {memory.residual:.4f} apart at most.")
    print("\n| distance from the float model | hops | mean | 99 % | largest | beyond the integers |")
    print("|---|--:|--:|--:|--:|--:|")
    _print_distance("calibration, training speakers", section["error"])
    frame_ms = section["hop_ms"] / streamed.hop
    errors = [asdict(part) for part in distance_of(streamed, artifact.float_graph, hops, answered, frame_ms, parts=6)]
    for i, error in enumerate(errors):
        _print_distance(f"sixth {i + 1} of the hour, test speakers", error)
    largest = max(error["largest"] for error in errors)
    bound = section["error"]["hour"]
    print(f"\nBound for an hour, printed when the model was compiled: {bound:.4f}. Largest in the hour: {largest:.4f}: "
          f"{'within' if largest <= bound else 'NOT within'} the bound.")  # fmt: skip


def _print_distance(what: str, error: Mapping[str, Any]) -> None:
    figures = " | ".join(f"{error[key]:.4f}" for key in ("mean", "p99", "largest"))
    print(f"| {what} | {error['hops']} | {figures} | {error['saturated']:.3%} |", flush=True)


def print_early(artifact: Artifact, data: Path, noise: Path | None, minutes: float) -> None:
    """How late keywords are heard, threshold by threshold, and how right answers are before a clip has ended."""
    listener, rate = make_listener(artifact), _rate(artifact)
    classes, scale = listener.recipe.data.classes, artifact.graph.outputs[0].type.scale
    tracks = []
    for audio, placed in pieces_of(artifact, data, noise, minutes, Mix()):
        heard = list(answers(listener, in_chunks(audio, rate)))
        words = [Event(p.start / rate, (p.start + p.length) / rate, p.label) for p in placed]
        ends = listener.frame_seconds * np.array([answer.rows for answer in heard])
        tracks.append(Track(np.stack([a.logits for a in heard]), scale, ends, len(audio) / rate, words))
    result = spot(tracks, classes, listener.pace.decision)
    print(f"\nEarly decision, {60 * result.hours:.0f} minutes of test speakers over noise, {result.keywords} keywords; "
          "the delay is from the end of the word's one-second clip to the event, smoothing included.\n")  # fmt: skip
    print("| threshold | keywords missed | false accepts per hour | delay, median | 95 % |\n|--:|--:|--:|--:|--:|")
    chosen = {min(result.points, key=lambda p, t=t: abs(p.threshold - t)).threshold for t in THRESHOLDS}  # type: ignore[misc]
    for point in (*(p for p in result.points if p.threshold in chosen), result.compiled):
        _print_point(point, point is result.compiled)
    _print_prefixes(artifact, data)


def _print_point(point: Point, is_compiled: bool) -> None:
    name = f"{point.threshold:.2f}{', as compiled' if is_compiled else ''}"
    delays = (f"{1000 * d:+.0f} ms" if d is not None else "–" for d in (point.median_delay_s, point.late_delay_s))
    missed = "–" if point.miss_rate is None else f"{point.miss_rate:.1%}"
    print(f"| {name} | {missed} | {point.false_accepts_per_hour:.1f} | {' | '.join(delays)} |")


def _print_prefixes(artifact: Artifact, data: Path) -> None:
    """Accuracy of a clip's answer at each time after its beginning, from a reset on."""
    assert artifact.recipe is not None
    labelled, front = evaluation_data(artifact, data), artifact.recipe.frontend
    clips = [artifact.quantized(x) for x in labelled.inputs]
    said = np.array([[int(y[0].argmax()) for y in hops] for hops in answers_along(artifact, "c", clips)])
    right = (said == labelled.labels[:, None]).mean(0)
    hop_ms, end_ms = _section(artifact)["hop_ms"], artifact.recipe.data.clip_ms
    heard = front.window_ms - front.hop_ms + hop_ms * np.arange(1, len(right) + 1)
    print(f"\nAccuracy on the {len(said)} test clips by what has been heard of them, and that relative to their end:\n")
    shown = range(len(right) - 1, 0, -max(1, len(right) // 10))[::-1]
    print("| heard | " + " | ".join(f"{heard[i]:.0f} ms" for i in shown) + " |\n|---|" + "--:|" * len(shown))
    print("| relative to the end | " + " | ".join(f"{heard[i] - end_ms:+.0f} ms" for i in shown) + " |")
    print("| accuracy | " + " | ".join(f"{right[i]:.1%}" for i in shown) + " |")
    first = int(np.argmax(right >= 0.99 * right[-1]))
    print(f"\n99 % of the final accuracy: {heard[first] - end_ms:+.0f} ms from the end of the clip.")


def print_hops(artifacts: Sequence[Artifact]) -> None:
    """The whole hop on each board."""
    print("\n| board | front end | model | smoothing, decision | whole hop | worst hop | duty cycle | state |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|")
    for artifact in artifacts:
        section, memory = _section(artifact), artifact.report["memory"]
        assert isinstance(memory, dict)
        if section["duty_cycle"] is None:
            continue
        parts = " | ".join(f"{round(cycles)}" for cycles in section["parts"].values())
        clock = f"{artifact.target.name}, {section['clock_hz'] / 1e6:g} MHz"
        duty = f"{section['duty_cycle']:.1%}, worst {section['worst_duty_cycle']:.1%}"
        whole = f"{section['mean_hop_cycles']:.0f} | {section['worst_hop_cycles']}"
        print(f"| {clock} | {parts} | {whole} | {duty} | {memory['state_bytes']} B |")


def _section(artifact: Artifact) -> Mapping[str, Any]:
    section = artifact.report["streaming"]
    assert isinstance(section, dict)
    return section


def _rate(artifact: Artifact) -> int:
    assert artifact.recipe is not None
    return artifact.recipe.data.sample_rate_hz


def _differing(found: NDArray[np.int64], expected: NDArray[np.int64]) -> int:
    return int((found != expected).any(1).sum())


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--noise", type=Path)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--drift-minutes", type=float, default=60.0)
    given = parser.parse_args()
    artifacts = [load_artifact(folder) for folder in given.folders]
    artifact = artifacts[0]
    section, source = _section(artifact), artifact.report["source"]
    assert isinstance(source, dict)
    assert artifact.clip_graph is not None
    streamed = Stream(section["hop_frames"]).streamed(artifact.clip_graph)
    print(f"## `{source['name']}`\n\nHops of {section['hop_ms']:g} ms; looks {section['look_ahead_ms']:g} ms ahead. "
          f"Claim: {section['claim']}.")  # fmt: skip
    print_hops(artifacts)
    print(f"\n{given.minutes:g} minutes of continuous audio:\n")
    audio, _ = next(pieces_of(artifact, given.data, given.noise, given.minutes))
    print_equality(artifact, streamed, audio, make_listener(artifact).pace.decision)
    print_hour(artifact, streamed, given.data, given.noise, given.drift_minutes)
    print_early(artifact, given.data, given.noise, given.drift_minutes / 2)


if __name__ == "__main__":
    main()
