"""Architectures of `edgetx.nn` in small sizes."""

import torch
from torch import nn

from edgetx.nn import build
from edgetx.recipe import Data, FrontEnd, Model, Recipe


def recipe(architecture, options=None, hop_ms=20.0, mels=40, classes=12, clip_ms=1000.0):
    names = tuple(f"c{i}" for i in range(classes))
    frontend = FrontEnd(window_ms=max(hop_ms, 25.0), hop_ms=hop_ms, mels=mels)
    return Recipe("demo", Data(names, clip_ms=clip_ms), Model(architecture, options or {}), frontend=frontend)


_LMU = {"width": 16, "mlp": 24, "mixer": ["lmu(12, 32)"]}
_SPIKING = {"width": 16, "mlp": 24, "mixer": ["spiking_lmu(12, 32)"]}
_SSM = {"width": 16, "layers": 1, "mixer": ["selective_ssm(4)"]}
_PATCHES = {**_SSM, "patch_frames": 7, "patch_features": 10}
_TWO = {"width": 16, "layers": 2, "mlp": 24}

FAMILIES = {
    "keyword_transformer": {**_TWO, "heads": 2},
    "lmuformer": _LMU,
    "lmuformer-causal": _LMU,
    "spiking-lmuformer": _SPIKING,
    "spiking-lmuformer-causal": _SPIKING,
    "ssamba-tiny": _PATCHES,
    "ssamba-tiny-causal": _PATCHES,
    "ssamba-micro": _SSM,
    "poolformer-micro": _TWO,
    "masformer-micro": {**_TWO, "mixer": ["full", "block(7)"]},
    "combiner-micro": _TWO,
    "music-transformer-micro": _TWO,
    "gla-micro": _TWO,
    "replknet-micro": _TWO,
    "statistics-mlp": _TWO,
    "ds-cnn": {"channels": 8, "layers": 2},
    "bc-resnet-1": {"scale": 0.5},
}
"""Options that make a preset of every family small."""

MIXERS = {
    "full": "full",
    "window": "window(5)",
    "block": "block(7)",
    "relative": "relative",
    "combiner": "combiner(7)",
    "pool": "pool(3)",
    "lmu": "lmu(12, 32)",
    "spiking_lmu": "spiking_lmu(12, 32)",
    "gated_linear": "gated_linear",
    "selective_ssm": "selective_ssm(4)",
    "large_kernel": "large_kernel(7)",
    "none": "none",
}
"""Every mixer as a recipe writes it."""


def family(name, seed=0, **options):
    """A small model in eval mode whose batch norms are not trivial, and two inputs."""
    made = recipe(name, {**FAMILIES[name], **options})
    torch.manual_seed(seed)
    model = build(made).eval()
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
                module.weight.uniform_(0.5, 1.5)
                module.bias.uniform_(-0.3, 0.3)
                module.running_mean.uniform_(-0.5, 0.5)
                module.running_var.uniform_(0.5, 2.0)
    return model, torch.randn(2, *made.input_shape)
