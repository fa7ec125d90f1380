import pytest
import torch
from architectures import recipe

from edgetx.errors import ConfigError
from edgetx.nn import build
from edgetx.nn.encoder import Encoder, EncoderOptions

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
        ("kwt-1", {"norm": "group"}, "not one of layer, rms, batch, spike, none"),
        ("kwt-1", {"heads": 3}, "not divisible by heads 3"),
        ("kwt-1", {"heads": 0}, "must be at least 1"),
        ("kwt-1", {"stem": [8, 0]}, "must be at least 1"),
        ("kwt-1", {"patch_frames": 50}, "does not fit the input's 49 frames"),
        ("kwt-1", {"patch_features": 41}, "does not fit the input's 40 features"),
        ("kwt-1", {"mixer": ["full", "full"]}, "2 mixers for 12 layers"),
        ("kwt-1", {"mixer": ["windw(3)"]}, "did you mean 'window'?"),
        ("kwt-1", {"mixer": ["window"]}, "missing a required argument: 'reach'"),
        ("kwt-1", {"mixer": ["window(1, 2)"]}, "too many positional arguments"),
        ("kwt-1", {"mixer": ["block(7)"]}, "blocks of 7 do not divide 50 tokens"),
        ("kwt-1", {"mixer": ["pool(2)"]}, "an odd number of tokens"),
        ("kwt-1", {"mixer": ["large_kernel(6)"]}, "known sizes are 5, 7"),
        ("kwt-1", {"causal": True}, "choose another pooling"),
        ("kwt-1", {"embedding": "convolution"}, "not one of linear, conv"),
        ("gla-micro", {"width": 10}, "half of width 10 is not divisible by heads 2"),
        ("ds-cnn", {"stride": [0, 1]}, "must be at least 1"),
        ("bc-resnet-1", {"scale": 0.01}, "leaves no channels"),
    ],
)
def test_impossible_models_are_explained(architecture, options, message):
    with pytest.raises(ConfigError) as caught:
        build(recipe(architecture, options))
    assert message in str(caught.value)
    assert "demo.model" in str(caught.value)


def test_last_layer_and_mean_commute():
    model = build(recipe("keyword_transformer", {**SMALL, "pooling": "mean"})).eval()
    x = torch.randn(2, 49, 40)
    tokens = model.norm(model.blocks(model.embedding(x) + model.positions))
    torch.testing.assert_close(model(x), model.head(tokens).mean(dim=1))


def test_patches_are_rows_of_frames_and_features():
    model = build(recipe("keyword_transformer", {**SMALL, "patch_frames": 5, "patch_features": 12}))
    x = torch.arange(49 * 40.0).view(1, 49, 40)
    patches = model.patches(x)
    assert patches.shape == (1, 9 * 3, 60)
    assert torch.equal(patches[0, 3 * 2 + 1].view(5, 12), x[0, 10:15, 12:24])


@pytest.mark.parametrize("mixer", ["lmu(4, 8)", "window(3)"])
def test_encoder_that_looks_back_answers_for_the_clip_at_the_end(mixer):
    """A clip after another one gives what its own frames give there, and differs from the clip alone."""
    torch.manual_seed(0)
    options = EncoderOptions(width=8, layers=1, mlp=8, mixer=(mixer,), positions="none", pooling="mean", causal=True)
    encoder = Encoder((12, 6), 3, options).eval()
    context, clip = torch.randn(2, 2, 12, 6)
    with torch.no_grad():
        both = torch.cat((context, clip), 1)
        frames = encoder.contextualize(encoder.placed(encoder.embedding(encoder.patches(both))))
        torch.testing.assert_close(encoder(both), encoder.head(frames[:, 12:].mean(1)))
        assert (encoder(both) - encoder(clip)).abs().max() > 1e-4
