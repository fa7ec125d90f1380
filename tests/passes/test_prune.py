"""Structured pruning: what is removed computes what it would at zero, and the graph is smaller."""

import numpy as np
import pytest
from encoders import ENCODERS, imported

from edgetx import ops
from edgetx.compiler.quantized import quantize_for_tflite, quantize_model
from edgetx.errors import ModelError
from edgetx.ir import Array, Graph, GraphBuilder
from edgetx.ir.verify import FLOAT, verify
from edgetx.passes.channels import ChannelGroup, channel_groups
from edgetx.passes.drop_branch import Branch, DropBranch, residual_branches
from edgetx.passes.pipeline import canonicalize
from edgetx.passes.pool_tokens import PoolTokens, poolable
from edgetx.passes.remove_channels import RemoveChannels, removed_channels
from edgetx.quant import QuantRecipe
from edgetx.reference import execute, run_node

RNG = np.random.default_rng(0)


def masked(graph: Graph, x: Array, groups: tuple[ChannelGroup, ...]) -> Array:
    """The graph's output with the groups' channels at 0 wherever they occur."""
    gone = removed_channels(groups)
    values = {**graph.consts, graph.inputs[0].name: x}
    for node in graph.nodes:
        for value, array in zip(node.outputs, run_node(node, [values[v.name] for v in node.inputs]), strict=True):
            array = np.array(array)
            array[..., sorted(gone.get(value.name, ()))] = 0
            values[value.name] = array
    return values[graph.outputs[0].name]


def some_of(groups: list[ChannelGroup]) -> tuple[ChannelGroup, ...]:
    """Every third group of each set of layers, and never all of a set."""
    by_makers: dict[tuple[str, ...], list[ChannelGroup]] = {}
    for group in groups:
        by_makers.setdefault(group.makers, []).append(group)
    return tuple(group for alike in by_makers.values() for group in alike[:-1][::3])


@pytest.mark.parametrize("name", ENCODERS)
def test_removal_is_exact(name: str) -> None:
    graph, x, _ = imported(name)
    graph = canonicalize(graph)
    groups = some_of(channel_groups(graph))
    assert groups
    smaller = RemoveChannels(groups).run(graph)
    verify(smaller, FLOAT)
    assert smaller.parameters < graph.parameters
    np.testing.assert_allclose(masked(smaller, x, ()), masked(graph, x, groups), atol=1e-5)


def convolutions() -> Graph:
    """Two branches of convolutions, added; a depthwise one that doubles channels; flattened into a layer."""
    b = GraphBuilder("convolutions")

    def const(*shape: int):
        return b.const(RNG.normal(size=shape).astype(np.float32), "w")

    x = b.input("x", (1, 6, 5, 3))
    left = b.op(ops.Conv2D(padding="same", activation="relu"), x, const(4, 3, 3, 3), const(4), name="left")
    right = b.op(ops.Conv2D(), x, const(4, 1, 1, 3), const(4), name="right")
    y = b.op(ops.Mul(), b.op(ops.Add(), left, right), const(4))
    y = b.op(ops.Logistic(), y)
    y = b.op(ops.DepthwiseConv2D(), y, const(1, 3, 3, 8), const(8), name="depthwise")
    y = b.op(ops.Reshape((1, 4, 24)), b.op(ops.MaxPool2D((1, 1), (1, 1)), y))
    y = b.op(ops.FullyConnected("relu"), y, const(7, 24), const(7), name="first")
    y = b.op(ops.Mean((1,)), y)
    return b.graph(b.op(ops.FullyConnected(), y, const(2, 7), const(2), name="last"))


def test_channels_are_followed_through_sums_depthwise_layers_and_reshapes() -> None:
    graph = convolutions()
    groups = channel_groups(graph)
    assert sorted(group.makers for group in groups) == [("first",)] * 7 + [("left", "right")] * 4
    both = next(group for group in groups if group.makers == ("left", "right"))
    assert [len(indices) for indices in both.channels.values()].count(6) == 1
    x = RNG.normal(size=(1, 6, 5, 3)).astype(np.float32)
    some = some_of(groups)
    smaller = RemoveChannels(some).run(graph)
    verify(smaller, FLOAT)
    np.testing.assert_allclose(masked(smaller, x, ()), masked(graph, x, some), atol=1e-5)


def test_what_normalizations_count_stays() -> None:
    b = GraphBuilder("norm")
    weight = b.const(RNG.normal(size=(4, 3)).astype(np.float32))
    y = b.op(ops.FullyConnected(), b.input("x", (1, 3)), weight)
    ones = b.const(np.ones(4, np.float32))
    y = b.op(ops.LayerNorm(), y, ones, ones)
    assert channel_groups(b.graph(b.op(ops.FullyConnected(), y, b.const(np.ones((2, 4), np.float32))))) == []


def test_all_channels_of_a_layer_cannot_go() -> None:
    graph = convolutions()
    with pytest.raises(ModelError, match="no channel"):
        RemoveChannels(tuple(g for g in channel_groups(graph) if g.makers == ("first",))).run(graph)


@pytest.mark.parametrize("name", ["hand chunk", "hand fused one head"])
def test_branches_of_an_encoder_are_found_and_dropped(name: str) -> None:
    graph, x, _ = imported(name)
    graph = canonicalize(graph)
    branches = residual_branches(graph)
    assert len(branches) == 2 * sum(isinstance(node.op, ops.Attention) for node in graph.nodes) > 0
    smaller = DropBranch(tuple(branches)).run(graph)
    verify(smaller, FLOAT)
    assert not any(isinstance(node.op, ops.Attention) for node in smaller.nodes)
    assert masked(smaller, x, ()).shape == graph.outputs[0].shape


def test_no_branch_where_nothing_goes_past() -> None:
    assert residual_branches(convolutions()) == []
    assert DropBranch(()).run(graph := convolutions()) is graph
    assert Branch("join", 1) == Branch("join", 1)


def with_pairs(graph: Graph, x: Array, name: str) -> Array:
    """The graph's output with both of two neighbours among some tokens replaced by their mean."""
    values = {**graph.consts, graph.inputs[0].name: x}
    for node in graph.nodes:
        results = run_node(node, [values[v.name] for v in node.inputs])
        values.update(zip((v.name for v in node.outputs), results, strict=True))
        if name in (v.name for v in node.outputs):
            values[name] = np.repeat(values[name].reshape(1, -1, 2, values[name].shape[-1]).mean(2), 2, 1)
    return values[graph.outputs[0].name]


@pytest.mark.parametrize("name", ["post-norm mean relu", "hand plain"])
def test_half_of_the_tokens_do_what_all_do_as_pairs(name: str) -> None:
    graph, x, _ = imported(name)
    graph = canonicalize(graph)
    names = poolable(graph)
    assert names
    for tokens in names:
        fewer = PoolTokens((tokens,)).run(graph)
        verify(fewer, FLOAT)
        np.testing.assert_allclose(execute(fewer, [x])[0], with_pairs(graph, x, tokens), atol=1e-5)
    work = [sum(node.op.cost(node).macs for node in g.nodes) for g in (graph, PoolTokens(names[:1]).run(graph))]
    assert work[1] < 0.9 * work[0]


def test_an_odd_number_of_tokens_keeps_its_last_and_becomes_integers() -> None:
    rng = np.random.default_rng(0)
    b = GraphBuilder("odd")
    x = b.input("x", (1, 5, 3))
    y = b.op(ops.Add(), x, x, name="tokens")
    y = b.op(ops.Mean((1,)), b.op(ops.FullyConnected("relu"), y, b.const(rng.normal(size=(4, 3)).astype(np.float32))))
    graph = b.graph(y)
    fewer = PoolTokens(("tokens",)).run(graph)
    data = rng.normal(size=(8, 1, 5, 3)).astype(np.float32)
    pairs = np.stack((data[0, :, :2].mean(1), data[0, :, 2:4].mean(1), data[0, :, 4]), 1)
    expected = np.maximum(2 * pairs @ next(iter(graph.consts.values())).T, 0).mean(1)
    np.testing.assert_allclose(execute(fewer, [data[0]])[0], expected, atol=1e-5)
    quantized = quantize_model(fewer, data, QuantRecipe())
    assert quantize_for_tflite(quantized, data, QuantRecipe()).outputs[0].shape == graph.outputs[0].shape


@pytest.mark.parametrize("name", ["one head no bias", "small cnn", "convolutional stem"])
def test_tokens_that_are_told_apart_afterwards_stay(name: str) -> None:
    assert poolable(canonicalize(imported(name)[0])) == []


def test_neurons_go_with_the_currents_that_drive_them() -> None:
    b = GraphBuilder("spiking")

    def const(*shape: int):
        return b.const(RNG.normal(size=shape).astype(np.float32), "w")

    y = b.op(ops.FullyConnected(), b.input("x", (1, 6, 5)), const(8, 5), name="current")
    lif = b.ops(ops.Lif(), y, const(8), const(8), b.const(np.zeros((1, 8), np.float32)), name="neurons")
    graph = b.graph(b.op(ops.FullyConnected(), lif[0], const(3, 8), name="out"))
    groups = channel_groups(graph)
    assert [group.makers for group in groups] == [("current",)] * 8
    smaller = RemoveChannels(tuple(groups[::3])).run(graph)
    verify(smaller, FLOAT)
    x = RNG.normal(size=(1, 6, 5)).astype(np.float32)
    np.testing.assert_allclose(masked(smaller, x, ()), masked(graph, x, tuple(groups[::3])), atol=1e-5)
