"""The recipe of a model that tells two tones apart, and how it is compressed."""

from tones import tones_recipe

RECIPE = (
    tones_recipe(
        "ds-cnn",
        "channels = 12, layers = 2, kernel = [3, 3], stride = [2, 4], dropout = 0.0",
        epochs=12,
        batch=6,
        augmentation="shift_ms = 20, gain_db = 6",
    )
    + """
[distillation]
teachers = []
views = 3

[pruning]
step = 2
keep = 0.7
rounds = 2
epochs = 4
learning_rate = 1e-2

[quantization_aware]
epochs = 2
batch = 4
"""
)
