"""What holds for every architecture."""

import io
from pathlib import Path

import pytest
import torch
from architectures import FAMILIES, MIXERS, family, recipe

from edgetx.nn import ARCHITECTURES, build
from edgetx.nn.mixers import MIXERS as KNOWN_MIXERS
from edgetx.nn.mixers import MixerInput, make_mixer
from edgetx.nn.reparameterize import merge_branches


def test_every_family_and_mixer_is_here():
    sized = ("kwt-", "tt-", "bc-resnet-", "lmuformer-", "spiking-lmuformer-")
    assert {name for name in ARCHITECTURES if not name.startswith(sized)} <= set(FAMILIES)
    assert set(MIXERS) == set(KNOWN_MIXERS)


@pytest.mark.parametrize("name", FAMILIES)
def test_one_row_of_logits_per_clip(name):
    model, x = family(name)
    logits = model(x)
    assert logits.shape == (2, 12)
    assert logits.isfinite().all()
    torch.testing.assert_close(model(x[1:]), logits[1:], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", FAMILIES)
def test_seed_decides_the_weights(name):
    (first, x), (again, _), (other, _) = family(name), family(name), family(name, seed=1)
    assert torch.equal(first(x), again(x))
    assert not torch.equal(first(x), other(x))


@pytest.mark.parametrize("name", FAMILIES)
def test_every_parameter_learns(name):
    model, x = family(name)
    model.to(memory_format=torch.channels_last).train()  # as the trainer has it
    model(x).square().sum().backward()
    without = [n for n, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    assert not without


@pytest.mark.parametrize("name", FAMILIES)
def test_exported_program_survives_a_file(name):
    model, x = family(name)
    file = io.BytesIO()
    torch.export.save(torch.export.export(merge_branches(model), (x[:1],)), file)
    file.seek(0)
    torch.testing.assert_close(torch.export.load(file).module()(x[:1]), model(x[:1]), atol=1e-5, rtol=1e-4)


RECURRENCES = {"lmuformer": {"lmu"}, "spiking-lmuformer": {"lmu", "lif"}, "gla-micro": {"linear_recurrence"}}


@pytest.mark.parametrize("name", RECURRENCES)
def test_recurrences_are_exported_whole(name):
    model, x = family(name)
    targets = [str(n.target) for n in torch.export.export(model, (x[:1],)).graph.nodes if n.op == "call_function"]
    ours = {target.split(".")[1] for target in targets if target.startswith("edgetx.")}
    assert ours == RECURRENCES[name]
    assert len(targets) < 100


LOOK_AHEAD = {"full", "window", "block", "relative", "combiner", "pool", "selective_ssm", "large_kernel"}
"""Mixers that see later tokens unless told not to."""


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("name", MIXERS)
def test_causal_mixers_do_not_look_ahead(name, causal):
    torch.manual_seed(0)
    mixer = make_mixer(MIXERS[name], MixerInput(49, 16, 2, True, causal))
    if mixer is None:
        assert name == "none"
        return
    x = torch.randn(1, 49, 16)
    other = torch.cat((x[:, :30], torch.randn(1, 19, 16)), dim=1)
    before, after = (mixer.eval()(t)[:, :30] for t in (x, other))
    assert torch.allclose(before, after, atol=1e-6) == (causal or name not in LOOK_AHEAD)


@pytest.mark.parametrize(("embedding", "memory"), [("conv", 10), ("spiking_conv", 49)])
@pytest.mark.parametrize(("causal", "ahead"), [(True, 0), (False, 5)])
def test_look_ahead_of_the_convolutional_embedding(embedding, memory, causal, ahead):
    """Ten tokens of convolution; neurons remember the past as far as it goes."""
    layers = build(recipe("lmuformer-32", {"embedding": embedding, "causal": causal})).embedding
    x = torch.randn(1, 49, 40, requires_grad=True)
    layers.eval()(x)[0, 20].sum().backward()
    (seen,) = x.grad[0].any(dim=1).nonzero(as_tuple=True)
    assert seen.max() == 20 + ahead
    assert seen.min() == max(0, 20 + ahead - memory)


def test_merged_branches_compute_the_same():
    for causal in (True, False):
        model, x = family("replknet-micro", causal=causal, mixer=["large_kernel(13)"])
        merged = merge_branches(model)
        assert sum(p.numel() for p in merged.parameters()) < sum(p.numel() for p in model.parameters())
        torch.testing.assert_close(merged(x), model(x), atol=1e-5, rtol=1e-4)
        assert merge_branches(merged) is merged


def test_documentation_names_every_preset_and_mixer():
    text = (Path(__file__).parents[2] / "docs" / "architectures.md").read_text()
    presets = {name for name in ARCHITECTURES if not name.startswith(("lmuformer", "spiking")) or "causal" not in name}
    assert not {name for name in presets if f"`{name}`" not in text}
    assert not {name for name in KNOWN_MIXERS if f"`{name}" not in text}
