"""The keyword spotter's firmware on minutes of continuous audio, in simulation, against the host's pipeline.

    python benchmarks/keyword_spotter.py --minutes 10 --write
    python benchmarks/keyword_spotter.py --minutes 10 --write --model kws-lmuformer-micro --stream

The first runs a model of clips on a window that slides, the second a model that takes one hop after the other;
EDGETX_DATA names the folder of the recordings. Words of test speakers, at random times, in background noise 20 dB below
full recordings. A detection counts as that of a word if it comes from half a second before to 1.2 s after the word's
clip ends.
"""

import argparse
import csv
import os
import re
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

from edgetx.audio.clip import read_clip
from edgetx.compiler import load_artifact
from edgetx.compiler.listening import in_chunks, listen, make_listener
from edgetx.profile import Simulator
from edgetx.profile.microphone import attach_microphone

EXAMPLE = Path(__file__).parents[1] / "firmware_examples" / "keyword_spotter"
RESULT = Path(__file__).parent / "results" / "keyword_spotter.md"
RATE, NOISE = 16_000, 0.1
EARLY, LATE = -0.5, 1.2
HOP_SAMPLES = re.compile(r"#define EDGETX_HOP_SAMPLES (\d+)")


def scene(data, minutes, seed=0, split="test"):
    """Samples, and the words in them as (end of clip in seconds, label)."""
    rng = np.random.default_rng(seed)
    words = data / "audio" / "arabic_speech_commands"
    rows = [row for row in csv.DictReader((words / "split.csv").open()) if row["split"] == split]
    noises = sorted((data / "audio" / "background_noise").glob("*.flac"))
    audio = NOISE * np.resize(np.concatenate([read_clip(path, RATE) for path in noises]), int(minutes * 60 * RATE))
    said, place = [], RATE
    while place + 2 * RATE < len(audio):
        row = rows[rng.integers(len(rows))]
        clip = read_clip(words / row["path"], RATE)
        audio[place : place + len(clip)] += clip
        said.append(((place + len(clip)) / RATE, row["label"]))
        place += int(RATE * rng.uniform(2, 5))
    return np.clip(audio, -32768, 32767).astype(np.int16), said


def build(model, folder):
    """The example's image around a compiled model."""
    configure = ["cmake", "-S", str(EXAMPLE), "-B", str(folder), f"-DEDGETX_MODEL={model}"]
    toolchain = ["--toolchain", str(model / "board" / "toolchain.cmake")]
    subprocess.run([*configure, *toolchain], check=True, capture_output=True)
    subprocess.run(["cmake", "--build", str(folder)], check=True, capture_output=True)
    return folder / "keyword_spotter.elf"


def simulate(model, image, audio):
    """Events as (hop, label)."""
    sim = Simulator(load_artifact(model).target, image, count=False)
    attach_microphone(sim, audio, RATE)
    sim.run(max_instructions=10**13, max_seconds=36_000)
    events = [line.split() for line in sim.output.splitlines() if line.startswith("event")]
    return [(int(hop), label) for _, hop, label in events]


def score(events, said, hop_seconds):
    """Hits, misses and false accepts."""
    words = [(end, label) for end, label in said if not label.startswith("_")]
    left, hits = list(events), 0
    for end, label in words:
        near = [e for e in left if e[1] == label and EARLY < e[0] * hop_seconds - end < LATE]
        if near:
            left.remove(near[0])
            hits += 1
    return hits, len(words) - hits, len(left)


def row(arguments, clips, name, found, spent):
    form = "hop by hop" if arguments.stream else "on a window"
    hits, misses, false = found
    return f"| {arguments.model} {form} | {clips} | {name} | {hits} | {misses} | {false} | {spent:.0f} |"


def table(minutes, rows, earlier):
    """The whole result: these rows, and those of other models that an earlier run measured."""
    models = {line.split("|")[1] for line in rows}
    kept = [line for line in earlier.splitlines() if line.startswith("| kws") and line.split("|")[1] not in models]
    return "\n".join(
        [
            f"# Keyword spotter on {minutes:g} minutes of continuous audio",
            "",
            f"{__doc__}",
            "Every pair of rows stands only if the events of host and firmware are the same, to the hop.",
            "",
            "| model | clips said | pipeline | detections | misses | false accepts | seconds of computing |",
            "|---|--:|---|--:|--:|--:|--:|",
            *kept,
            *rows,
            "",
        ]
    )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--target", default="mps2-an386")
    parser.add_argument("--model", default="kws-transformer-micro")
    parser.add_argument("--stream", action="store_true")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    audio, said = scene(Path(os.environ["EDGETX_DATA"]), arguments.minutes)
    with tempfile.TemporaryDirectory() as name:
        model = Path(name) / "model"
        compile_ = ["edgetx", "compile", arguments.model, "--target", arguments.target, "--to", "c", "-o", str(model)]
        subprocess.run([*compile_, *(["--stream"] if arguments.stream else [])], check=True, capture_output=True)
        image = build(model, Path(name) / "build")
        listener = make_listener(load_artifact(model))
        hop = int(HOP_SAMPLES.search((model / "c" / "stream.h").read_text())[1]) / RATE
        start = time.monotonic()
        host = [(round(d.seconds / hop), d.label) for d in listen(listener, in_chunks(audio, RATE))]
        between = time.monotonic()
        device = simulate(model, image, audio)
        end = time.monotonic()
    if host != device:
        print(f"DIFFERENT: {sorted(set(host) ^ set(device))}")
        return 1
    rows = [
        row(arguments, len(said), "host", score(host, said, hop), between - start),
        row(arguments, len(said), f"firmware, {arguments.target}", score(device, said, hop), end - between),
    ]
    text = table(arguments.minutes, rows, RESULT.read_text() if RESULT.exists() else "")
    print(text)
    if arguments.write:
        RESULT.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
