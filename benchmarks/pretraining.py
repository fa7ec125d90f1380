"""What pretraining and patchout gain: one small keyword transformer, trained with and without, several seeds each.

    python benchmarks/pretraining.py ../shared/data/audio/arabic_speech_commands > benchmarks/results/pretraining.md

Everything else is the same: plain training, masks as the only augmentation, few epochs. The pretraining hears the clips
of the training split without their labels.
"""

import argparse
import csv
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edgetx.train import train
from edgetx.train.metrics import Metrics

RECIPE = """\
name = "variant"

[data]
classes = {classes}

[frontend]
kind = "log_mel"
mean = 12.5
std = 7.0

[model]
architecture = "keyword_transformer"

[model.options]
width = 32
heads = 2
layers = 2
mlp = 64
pooling = "mean"
norm_place = "pre"
{options}

{pretraining}
[training]
epochs = {epochs}
batch = 64
learning_rate = 2e-3
warmup_epochs = 2
average = 0.9

[training.augmentation]
reuse = 1000
frequency_masks = 1
frequency_mask_features = 5
time_masks = 1
time_mask_frames = 6

[quantization]
calibration_count = 4
"""
VARIANTS = {
    "learned positions": ("", ""),
    "masked patches (SSAST)": ("", "masked_patches"),
    "alteration (TERA)": ("", "alteration"),
    "position prediction (MP3)": ("", "positions"),
    "patchout of 12 in 49 frames": ("patchout_frames = 12", ""),
    "no positions": ('positions = "none"', ""),
    "no positions, position prediction (MP3)": ('positions = "none"', "positions"),
}
MASKED = {"masked_patches": 0.75, "alteration": 0.15, "positions": 0.5}


def recipe(variant: str, classes: Sequence[str], epochs: int) -> str:
    options, objective = VARIANTS[variant]
    stage = f'[pretraining]\nobjective = "{objective}"\nepochs = {epochs}\nwarmup_epochs = 2\n' if objective else ""
    stage += f"masked = {MASKED[objective]}\n" if objective else ""
    listed = "[" + ", ".join(f'"{name}"' for name in classes) + "]"
    return RECIPE.format(classes=listed, options=options, pretraining=stage, epochs=epochs)


def main() -> None:
    parser = argparse.ArgumentParser(description="Train variants of one model.")
    parser.add_argument("data", type=Path)
    parser.add_argument("--epochs", type=int, default=15, help="of pretraining and of training, each")
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    with (options.data / "split.csv").open() as file:
        classes = sorted({row["label"] for row in csv.DictReader(file)})
    print(
        f"| {options.epochs} epochs, {options.seeds} seeds | test accuracy | 95 % interval of the mean | gain, points |"
    )
    print("|---|---:|---:|---:|")
    base = None
    with tempfile.TemporaryDirectory() as folder:
        for variant in VARIANTS:
            path = Path(folder) / "recipe.toml"
            path.write_text(recipe(variant, classes, options.epochs))
            metrics: Metrics = train(path, options.data, Path(folder) / "out", seeds=options.seeds)
            assert metrics.repeats is not None
            mean, (low, high) = metrics.repeats.mean, metrics.repeats.interval_95
            base = mean if base is None else base
            print(f"| {variant} | {mean:.2%} | {low:.1%} to {high:.1%} | {100 * (mean - base):+.2f} |", flush=True)
            print(variant, np.round([r.accuracy for r in metrics.repeats.runs], 4), file=sys.stderr)


if __name__ == "__main__":
    main()
