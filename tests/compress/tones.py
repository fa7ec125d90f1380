"""The recipe of a model that tells two tones apart."""

RECIPE = """\
name = "tones"

[data]
classes = ["low", "high"]
clip_ms = 250.0

[frontend]
mean = 5.0
std = 4.0

[model]
architecture = "ds-cnn"
options = { channels = 12, layers = 2, kernel = [3, 3], stride = [2, 4], dropout = 0.0 }

[training]
epochs = 12
batch = 6
learning_rate = 1e-2
warmup_epochs = 1
average = 0.5
augmentation = { shift_ms = 20, gain_db = 6 }

[quantization]
calibration_count = 4

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
