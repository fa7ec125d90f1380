"""What an epoch of training costs with and without draws that several epochs hear, and in which precision.

    python benchmarks/training.py > benchmarks/results/training.md

Processor time of one thread, per 1000 clips, over three epochs after the first; the audio is noise.
"""

import time
from dataclasses import replace

import torch
from lightning_fabric import Fabric

from edgetx.recipe import Recipe, load_recipe
from edgetx.train.augment import Augmenter
from edgetx.train.examples import Examples
from edgetx.train.loop import Trainer

CLIPS, EPOCHS = 512, 3
MODELS = ("kws-dscnn-micro", "kws-transformer-micro", "kws-lmuformer-micro")
SETTINGS = {
    "drawn anew, float32": (1, "float32"),
    "kept for 8 epochs, float32": (8, "float32"),
    "kept for 8 epochs, bfloat16": (8, "bfloat16"),
}


def seconds_per_1000_clips(recipe: Recipe, reuse: int, precision: str) -> float:
    augmentation = replace(recipe.training.augmentation, reuse=reuse, noise_folder="")
    recipe = replace(recipe, training=replace(recipe.training, augmentation=augmentation, batch=64))
    torch.manual_seed(0)
    audio = torch.randint(-8000, 8000, (CLIPS, recipe.data.samples), dtype=torch.int16)
    labels = torch.arange(CLIPS) % len(recipe.data.classes)
    validation = Examples(torch.zeros(1, *recipe.input_shape), labels[:1])
    noise = audio[:30].flatten().float()
    augmenter = Augmenter(augmentation, recipe.data.sample_rate_hz, noise)
    fabric = Fabric(accelerator="cpu", devices=1, precision="bf16-mixed" if precision == "bfloat16" else "32-true")
    trainer = Trainer(recipe, Examples(audio, labels), validation, augmenter, fabric)
    trainer._epoch(1)
    started = time.process_time()
    for epoch in range(2, 2 + EPOCHS):
        trainer._epoch(epoch)
    return (time.process_time() - started) / EPOCHS / CLIPS * 1000


def main() -> None:
    torch.set_num_threads(1)
    print(
        "# Training\n\nMade by `python benchmarks/training.py`; seconds of processor time per 1000 clips, batch 64.\n"
    )
    print("| model | " + " | ".join(SETTINGS) + " | ratio |\n|--|" + "--:|" * (len(SETTINGS) + 1))
    for name in MODELS:
        costs = [seconds_per_1000_clips(load_recipe(name), *setting) for setting in SETTINGS.values()]
        print(
            f"| {name} | " + " | ".join(f"{cost:.2f}" for cost in costs) + f" | {costs[0] / min(costs):.1f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
