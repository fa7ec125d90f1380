"""A recipe that learns low from high tones within seconds."""

RECIPE = """\
name = "tones"
description = "Low or high."

[data]
classes = ["low", "high"]
clip_ms = 250.0

[frontend]
mean = 5.0
std = 4.0

[model]
architecture = "keyword_transformer"
options = { width = 8, layers = 1, mlp = 8, pooling = "mean", norm = "layer", norm_place = "pre" }

[training]
epochs = 6
batch = 6
learning_rate = 1e-2
warmup_epochs = 1
average = 0.5

[quantization]
calibration_count = 4
"""
