"""Architectures through the compiler: what it understands is what torch computes, what it lacks is named."""

import numpy as np
import pytest
import torch
from architectures import FAMILIES, family

from edgetx.compiler.quantized import quantize_for_tflite, quantize_model
from edgetx.fixedpoint import dequantize, quantize
from edgetx.frontends.torch import export_module
from edgetx.nn.reparameterize import merge_branches
from edgetx.ops import Attention
from edgetx.passes.pipeline import canonicalize
from edgetx.quant import QuantRecipe
from edgetx.reference import execute

CAUSAL = {"pool": "pool(3)", "large kernel": "large_kernel(7)"}
MASKED = {"window": ("window(8)", False), "causal": ("full", True)}


def integer_error_db(graph, x, y):
    """Power of the float result over that of the integer graph's error."""
    calibration = np.random.default_rng(0).normal(size=(16, *x.shape[1:])).astype(np.float32)
    integer = quantize_model(graph, calibration, QuantRecipe()).graph
    given, found = integer.inputs[0].type, integer.outputs[0].type
    result = execute(integer, [quantize(x, given.scale, given.zero_point, given.dtype)])[0]
    error = dequantize(result, found.scale, found.zero_point) - y
    return 10 * np.log10((y**2).mean() / (error**2).mean())


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_compiler_computes_what_torch_does(name):
    model, x = family(name)
    graph = export_module(model, x[:1], "model")
    y = model(x[:1]).detach().numpy()
    np.testing.assert_allclose(execute(graph, [x[:1].numpy()])[0], y, atol=2e-5)
    assert integer_error_db(graph, x[:1].numpy(), y) > 20


@pytest.mark.parametrize("name", CAUSAL)
def test_compiler_takes_causal_mixers(name):
    model, x = family("poolformer-micro", mixer=[CAUSAL[name]], causal=True, stem=[4])
    graph = export_module(model, x[:1], "model")
    np.testing.assert_allclose(execute(graph, [x[:1].numpy()])[0], model(x[:1]).detach().numpy(), atol=2e-5)


@pytest.mark.parametrize("name", MASKED)
def test_masked_attention_keeps_its_span(name):
    mixer, causal = MASKED[name]
    model, x = family("masformer-micro", mixer=[mixer], causal=causal)
    graph = canonicalize(export_module(model, x[:1], "model"))
    spans = [node.op.span for node in graph.nodes if isinstance(node.op, Attention)]
    assert spans
    assert None not in spans
    np.testing.assert_allclose(execute(graph, [x[:1].numpy()])[0], model(x[:1]).detach().numpy(), atol=2e-5)


def test_masks_within_blocks_stay_within_the_range_of_the_scores():
    model, x = family("masformer-micro", mixer=["block(7)"], causal=True)
    graph = canonicalize(export_module(model, x[:1], "model"))
    assert "attention" not in {node.op.name for node in graph.nodes}
    np.testing.assert_allclose(execute(graph, [x[:1].numpy()])[0], model(x[:1]).detach().numpy(), atol=2e-5)
    assert min(float(data.min()) for data in graph.consts.values()) > -100


def test_branches_are_merged_on_the_way():
    model, x = family("replknet-micro")
    convolutions = [n for n in export_module(model, x[:1], "model").nodes if n.op.name == "depthwise_conv_2d"]
    assert len(convolutions) == len(model.blocks)
    assert merge_branches(model) is not model


def test_mean_of_existing_elements_may_change_the_size():
    class Halving(torch.nn.Module):
        def forward(self, x):
            return torch.nn.functional.avg_pool1d(x, 3, 2, 1, count_include_pad=False)

    x = torch.randn(1, 4, 9)
    (found,) = execute(export_module(Halving(), x, "model"), (x.numpy(),))
    np.testing.assert_allclose(found, Halving()(x).numpy(), rtol=1e-5, atol=1e-6)


def test_blocks_of_attention_have_a_form_in_tflite():
    model, x = family("masformer-micro")
    calibration = np.random.default_rng(0).normal(size=(8, *x.shape[1:])).astype(np.float32)
    quantized = quantize_model(export_module(model, x[:1], "model"), calibration, QuantRecipe())
    graph = quantize_for_tflite(quantized, calibration, QuantRecipe())
    assert "attention" not in {node.op.name for node in graph.nodes}
