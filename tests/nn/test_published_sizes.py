"""Parameters and multiply-accumulates of presets are those of the published models."""

import numpy as np
import pytest
import torch
from architectures import recipe

from edgetx.frontends.torch import export_module
from edgetx.nn import ARCHITECTURES, build
from edgetx.passes.pipeline import canonicalize
from edgetx.train.metrics import count_macs

PUBLISHED = {  # parameters; millions of multiply-accumulates; recipe
    "kwt-1": (607_308, 73.7, {"hop_ms": 10}),
    "kwt-2": (2_394_252, 264.2, {"hop_ms": 10}),
    "kwt-3": (5_360_844, 571.5, {"hop_ms": 10}),
    "kwt-micro-32": (38_700, 5.9, {"hop_ms": 10}),
    "kwt-micro-48": (83_747, 11.3, {"hop_ms": 10, "classes": 35}),
    "kwt-micro-64": (143_843, 8.1, {"mels": 80, "classes": 35}),
    "tt-6k": (6_022, 0.396, {"classes": 6}),
    "tt-20k": (20_428, 1.20, {}),
    "bc-resnet-1": (9_232, 2.48, {"hop_ms": 10, "clip_ms": 1025}),
    "bc-resnet-8": (321_068, 85.9, {"hop_ms": 10, "clip_ms": 1025}),
}

SECOND = {"hop_ms": 10, "clip_ms": 1015, "classes": 35}  # 100 frames
PUBLISHED_CLIP = {"hop_ms": 10, "clip_ms": 1295, "mels": 128, "classes": 35}  # 128 frames
LMUFORMERS = {  # published with the last layer applied to every frame
    "lmuformer": (1_621_796, 215.1, PUBLISHED_CLIP),
    "lmuformer-128": (400_292, 41.3, SECOND),
    "lmuformer-96": (226_500, 22.8, SECOND),
    "lmuformer-64": (105_956, 10.84, SECOND),
    "lmuformer-32": (29_444, 2.96, SECOND),
    "spiking-lmuformer": (1_689_894, 249, PUBLISHED_CLIP),
}


def shapes_of(made):
    """The model without values: counting needs none."""
    with torch.device("meta"):
        return build(made).eval()


def parameters(model):
    return sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize("name", PUBLISHED)
def test_presets_have_the_published_size(name):
    count, macs, options = PUBLISHED[name]
    made = recipe(name, **options)
    model = shapes_of(made)
    assert parameters(model) == count
    assert count_macs(model, made.input_shape) / 1e6 == pytest.approx(macs, rel=0.01)


@pytest.mark.parametrize("causal", ["", "-causal"])
@pytest.mark.parametrize("name", LMUFORMERS)
def test_lmuformers_have_the_published_size(name, causal):
    count, macs, options = LMUFORMERS[name]
    made = recipe(name + causal, **options)
    model = shapes_of(made)
    head_of_other_frames = (made.input_shape[0] - 1) * model.head.weight.numel()
    assert parameters(model) == count
    counted = count_macs(model, made.input_shape) + head_of_other_frames
    assert counted / 1e6 == pytest.approx(macs, rel=0.003)


def test_ssamba_tiny_has_the_published_size():
    made = recipe("ssamba-tiny", hop_ms=10, clip_ms=10255, mels=128, classes=35)
    model = shapes_of(made)
    tokens, states = 512, 2 * 24 * 384 * 16  # in both directions
    assert parameters(model) == pytest.approx(6.9e6, rel=0.01)
    blocks_only = count_macs(model, made.input_shape) - model.head.weight.numel() - tokens * 256 * 192
    input_products = tokens * states  # Δ B x, which torch does not count as a matrix product
    assert (blocks_only + input_products) / tokens / 1e6 == pytest.approx(7.30, rel=0.001)


def test_ds_cnn_has_the_size_of_mlperf_tiny():
    made = recipe("ds-cnn", mels=10)
    model = build(made).eval()
    assert count_macs(model, made.input_shape) == 2_656_768
    folded = canonicalize(export_module(model, torch.zeros(1, *made.input_shape), "ds_cnn"))
    weights = {v.name: v for node in folded.nodes for v in node.inputs if v.name in folded.consts}
    assert sum(np.prod(v.shape, dtype=int) for v in weights.values()) == 22_604


UNPUBLISHED = {"keyword_transformer", "spiking-lmuformer-64", "statistics-mlp", "ssamba-micro", "ssamba-tiny-causal"}


def test_every_preset_is_covered():
    tested = {*PUBLISHED, *LMUFORMERS, "ssamba-tiny", "ds-cnn", "bc-resnet-2", "bc-resnet-3", "bc-resnet-6"}
    others = {name.removesuffix("-causal") for name in ARCHITECTURES if not name.endswith("-micro")} - tested
    assert others <= UNPUBLISHED | {"ssamba-tiny"}
