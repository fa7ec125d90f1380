import pytest
import torch

from edgetx.errors import ConfigError
from edgetx.nn import ARCHITECTURES, build
from edgetx.recipe import Data, FrontEnd, Model, Recipe
from edgetx.train.metrics import count_macs


def recipe(architecture, options=None, hop_ms=20.0, mels=40, classes=12, clip_ms=1000.0):
    names = tuple(f"c{i}" for i in range(classes))
    frontend = FrontEnd(window_ms=max(hop_ms, 25.0), hop_ms=hop_ms, mels=mels)
    return Recipe("demo", Data(names, clip_ms=clip_ms), Model(architecture, options or {}), frontend=frontend)


PUBLISHED = {  # parameters; millions of multiply-accumulates; recipe
    "kwt-1": (607_308, 73.7, {"hop_ms": 10}),
    "kwt-2": (2_394_252, 264.2, {"hop_ms": 10}),
    "kwt-3": (5_360_844, 571.5, {"hop_ms": 10}),
    "kwt-micro-32": (38_700, 5.9, {"hop_ms": 10}),
    "kwt-micro-48": (83_747, 11.3, {"hop_ms": 10, "classes": 35}),
    "kwt-micro-64": (143_843, 8.1, {"mels": 80, "classes": 35}),
    "tt-6k": (6_022, 0.396, {"classes": 6}),
    "tt-20k": (20_428, 1.20, {}),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_presets_have_the_published_size(name):
    parameters, macs, options = PUBLISHED[name]
    made = recipe(name, **options)
    model = build(made)
    assert sum(p.numel() for p in model.parameters()) == parameters
    assert count_macs(model, made.input_shape) / 1e6 == pytest.approx(macs, rel=0.01)


def test_every_preset_is_covered():
    assert set(PUBLISHED) == set(ARCHITECTURES) - {"keyword_transformer"}


SMALL = {"width": 16, "heads": 2, "layers": 2, "mlp": 24}
VARIANTS = [
    {},
    {"pooling": "mean", "norm": "batch", "norm_place": "branch", "qkv_bias": True, "activation": "relu"},
    {"norm": "rms", "norm_place": "pre", "activation": "silu", "dropout": 0.1},
    {"stem": [4, 6], "patch_frames": 3, "activation": "hard_swish"},
]


@pytest.mark.parametrize("options", VARIANTS, ids=str)
def test_export_keeps_the_function(options):
    made = recipe("keyword_transformer", {**SMALL, **options})
    model = build(made).eval()
    x = torch.randn(1, *made.input_shape)
    exported = torch.export.export(model, (x,))
    called = {str(n.target) for n in exported.graph.nodes if n.op == "call_function"}
    assert all(name.startswith("aten.") or "getitem" in name for name in called)
    torch.testing.assert_close(exported.module()(x), model(x))
    assert model(x).shape == (1, 12)


@pytest.mark.parametrize("options", VARIANTS, ids=str)
def test_every_parameter_learns(options):
    made = recipe("keyword_transformer", {**SMALL, **options})
    model = build(made)
    model(torch.randn(2, *made.input_shape)).square().sum().backward()
    assert all(p.grad is not None and p.grad.any() for p in model.parameters())


def test_attention_by_hand():
    torch.manual_seed(0)
    attention = build(recipe("keyword_transformer", SMALL)).blocks[0].mixer
    x = torch.randn(1, 5, 16)
    q, k, v = (attention.qkv.weight @ x[0].T).reshape(3, 2, 8, 5).transpose(2, 3)
    weights = torch.softmax(q @ k.transpose(1, 2) / 8**0.5, dim=-1)
    merged = (weights @ v).transpose(0, 1).reshape(5, 16)
    torch.testing.assert_close(attention(x)[0], attention.out(merged))


@pytest.mark.parametrize(
    ("architecture", "options", "message"),
    [
        ("kwt1", {}, "did you mean 'kwt-1'?"),
        ("kwt-1", {"widht": 32}, "did you mean 'width'?"),
        ("kwt-1", {"width": "wide"}, "expected an integer"),
        ("kwt-1", {"qkv_bias": 1}, "expected true or false"),
        ("kwt-1", {"norm": "group"}, "not one of layer, rms, batch"),
        ("kwt-1", {"heads": 3}, "not divisible by heads 3"),
        ("kwt-1", {"heads": 0}, "must be at least 1"),
        ("kwt-1", {"stem": [8, 0]}, "must be at least 1"),
        ("kwt-1", {"patch_frames": 50}, "does not fit the input's 49 frames"),
    ],
)
def test_impossible_models_are_explained(architecture, options, message):
    with pytest.raises(ConfigError) as caught:
        build(recipe(architecture, options))
    assert message in str(caught.value)
    assert "demo.model" in str(caught.value)
