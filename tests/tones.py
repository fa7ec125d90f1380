"""Recipes of small models that learn within seconds to tell low from high tones, as `recordings` makes them."""

ENCODER = 'width = 8, layers = 1, mlp = 8, pooling = "mean", norm_place = "pre"'


def tones_recipe(
    architecture: str,
    options: str,
    *,
    epochs: int,
    batch: int,
    classes: str = '["low", "high"]',
    augmentation: str = "",
) -> str:
    """The text of a recipe; options and augmentation as TOML writes them within braces."""
    changes = f"augmentation = {{ {augmentation} }}\n" if augmentation else ""
    return f"""\
name = "tones"
description = "Low or high."

[data]
classes = {classes}
clip_ms = 250.0

[frontend]
mean = 5.0
std = 4.0

[model]
architecture = "{architecture}"
options = {{ {options} }}

[training]
epochs = {epochs}
batch = {batch}
learning_rate = 1e-2
warmup_epochs = 1
average = 0.5
{changes}
[quantization]
calibration_count = 4
"""
