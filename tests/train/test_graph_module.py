"""Graphs as torch modules: in floating point close to the reference, in integers bit for bit, and trainable."""

from dataclasses import replace

import numpy as np
import pytest
from encoders import ENCODERS, FEATURES, FRAMES, imported

torch = pytest.importorskip("torch")

from edgetx.compiler.quantized import Quantized, quantize_model  # noqa: E402
from edgetx.errors import ModelError  # noqa: E402
from edgetx.fixedpoint import dequantize, quantize  # noqa: E402
from edgetx.ir import Array, GraphBuilder  # noqa: E402
from edgetx.ops import Add  # noqa: E402
from edgetx.passes.pipeline import canonicalize  # noqa: E402
from edgetx.quant import QuantRecipe, apply_plan  # noqa: E402
from edgetx.reference import execute  # noqa: E402
from edgetx.train.graph import GraphModule, QuantizedGraphModule  # noqa: E402

RNG = np.random.default_rng(0)
INPUTS = RNG.normal(size=(8, FRAMES, FEATURES)).astype(np.float32)


def integer_outputs(model: Quantized, inputs: Array) -> Array:
    given, found = model.graph.inputs[0].type, model.graph.outputs[0].type
    integers = quantize(inputs, given.scale, given.zero_point, given.dtype)
    outputs = np.concatenate([execute(model.graph, [sample[None]])[0] for sample in integers])
    return dequantize(outputs, found.scale, found.zero_point)


@pytest.mark.parametrize("name", ENCODERS)
def test_float_module_computes_the_graph(name: str) -> None:
    graph = canonicalize(imported(name)[0])
    expected = np.concatenate([execute(graph, [sample[None]])[0] for sample in INPUTS])
    with torch.no_grad():
        found = GraphModule(graph)(torch.from_numpy(INPUTS))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("recipe", ["static_wi8_ai8", "static_wi8_ai16"])
@pytest.mark.parametrize("name", ENCODERS)
def test_quantized_module_computes_the_integer_graph_bit_for_bit(name: str, recipe: str) -> None:
    bits = 8 if recipe.endswith("8") else 16
    model = quantize_model(imported(name)[0], INPUTS, QuantRecipe(bits))
    module = QuantizedGraphModule(model.float_graph, model.plan)
    found = module(torch.from_numpy(INPUTS))
    np.testing.assert_array_equal(found.detach().numpy(), integer_outputs(model, INPUTS))


def test_training_changes_what_is_deployed() -> None:
    model = quantize_model(imported(next(iter(ENCODERS)))[0], INPUTS, QuantRecipe())
    module = QuantizedGraphModule(model.float_graph, model.plan)
    optimizer = torch.optim.Adam(module.parameters(), 3e-3)
    labels = torch.arange(len(INPUTS)) % model.graph.outputs[0].shape[-1]
    losses = []
    for _ in range(12):
        loss = torch.nn.functional.cross_entropy(module(torch.from_numpy(INPUTS)), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert all(weight.grad is not None for weight in module.parameters())
    assert losses[-1] < 0.8 * losses[0]
    trained = module.trained()
    deployed = replace(model, float_graph=trained, graph=apply_plan(trained, model.plan))
    np.testing.assert_array_equal(module(torch.from_numpy(INPUTS)).detach().numpy(), integer_outputs(deployed, INPUTS))


def test_gradient_is_that_of_the_float_graph_where_nothing_is_clipped() -> None:
    """With fine steps, quantized and float gradients agree."""
    model = quantize_model(imported(next(iter(ENCODERS)))[0], INPUTS, QuantRecipe(16, "minmax"))
    fake, real = QuantizedGraphModule(model.float_graph, model.plan), GraphModule(model.float_graph)
    for module in (fake, real):
        module(torch.from_numpy(INPUTS)).square().sum().backward()
    ours, theirs = (torch.cat([p.grad.flatten() for p in m.parameters()]) for m in (fake, real))
    assert torch.nn.functional.cosine_similarity(ours, theirs, dim=0) > 0.98


def test_graphs_of_two_inputs_are_refused() -> None:
    b = GraphBuilder("two")
    with pytest.raises(ModelError, match="one input"):
        GraphModule(b.graph(b.op(Add(), b.input("x", (1, 3)), b.input("y", (1, 3)))))
