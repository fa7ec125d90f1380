import numpy as np
import pytest
from encoders import ENCODERS, imported

from edgetx.ir import GraphBuilder
from edgetx.ir.verify import FLOAT, verify
from edgetx.ops import (
    Add,
    Clip,
    Conv2D,
    DepthwiseConv2D,
    FullyConnected,
    LayerNorm,
    Logistic,
    MaxPool2D,
    Mul,
    Pad,
    Relu,
    Relu6,
    Reshape,
    StridedSlice,
    Tanh,
    Transpose,
)
from edgetx.passes import why_not
from edgetx.passes.drop_clamp import DropClamp
from edgetx.passes.fold_pads import FoldPads
from edgetx.passes.fuse_activation import FuseActivation
from edgetx.passes.fuse_affine import FuseAffine
from edgetx.passes.hoist_slice import HoistSlice
from edgetx.passes.merge_duplicates import MergeDuplicates
from edgetx.passes.pipeline import canonicalize, float_passes
from edgetx.passes.simplify_movement import SimplifyMovement
from edgetx.reference import execute


def ops_of(graph):
    return [node.op.name for node in graph.nodes]


def layer(b, x, out=4, name="layer"):
    generator = np.random.default_rng(0)
    weight = b.const(generator.normal(size=(out, x.shape[-1])).astype(np.float32), "w")
    return b.op(FullyConnected(), x, weight, b.const(generator.normal(size=out).astype(np.float32), "b"), name=name)


@pytest.mark.parametrize("name", ENCODERS)
def test_every_pass_keeps_the_meaning_and_a_valid_graph(name):
    graph, x, expected = imported(name)
    for step in float_passes():
        graph = step.run(graph)
        verify(graph, FLOAT, blame=step.name)
        np.testing.assert_allclose(execute(graph, [x])[0], expected, atol=2e-5, err_msg=step.name)


@pytest.mark.parametrize("name", ENCODERS)
def test_canonical_form_is_a_fixed_point(name):
    graph = canonicalize(imported(name)[0])
    assert canonicalize(graph) is graph


def test_unchanged_graph_is_the_same_object():
    b = GraphBuilder("g")
    graph = b.graph(layer(b, b.input("x", (1, 3, 5))))
    for step in float_passes():
        assert step.run(graph) is graph


def test_batch_normalization_disappears_into_the_layer():
    b = GraphBuilder("g")
    gain, shift = (b.const(np.arange(1, 5, dtype=np.float32), name) for name in ("gain", "shift"))
    y = b.op(Add(), b.op(Mul(), layer(b, b.input("x", (1, 3, 5))), gain), shift)
    graph = b.graph(y)
    fused = FuseAffine().run(graph)
    assert ops_of(fused) == ["fully_connected"]
    x = np.random.default_rng(1).normal(size=(1, 3, 5)).astype(np.float32)
    np.testing.assert_allclose(execute(fused, [x])[0], execute(graph, [x])[0], rtol=1e-5, atol=1e-5)


def test_fusions_say_why_they_decline():
    b = GraphBuilder("g")
    h = layer(b, b.input("x", (1, 3, 5)))
    clamped = b.op(Relu(), h, name="clamp")
    scaled = b.op(Mul(), h, b.const(np.ones((3, 4), np.float32), "gain"), name="scale")
    graph = b.graph(clamped, scaled)
    assert why_not(FuseActivation(), graph, "clamp") == "layer is read elsewhere too"
    assert why_not(FuseAffine(), graph, "scale") == "layer is read elsewhere too"
    assert why_not(FuseActivation(), graph, "layer") == "not a clamp"


def test_constant_that_varies_within_a_channel_is_not_folded():
    b = GraphBuilder("g")
    position = b.const(np.ones((3, 4), np.float32), "position")
    graph = b.graph(b.op(Add(), layer(b, b.input("x", (1, 3, 5))), position, name="add"))
    assert why_not(FuseAffine(), graph, "add") == "the constant varies within a channel"


def test_transposes_that_cancel_vanish():
    b = GraphBuilder("g")
    x = b.input("x", (1, 3, 5))
    there = b.op(Transpose((0, 2, 1)), x)
    graph = b.graph(b.op(Relu(), b.op(Transpose((0, 2, 1)), there)))
    assert ops_of(SimplifyMovement().run(graph)) == ["relu"]


def test_transpose_of_unit_axes_is_a_reshape():
    b = GraphBuilder("g")
    graph = b.graph(b.op(Relu(), b.op(Transpose((1, 0, 2)), b.input("x", (1, 3, 5)))))
    assert ops_of(SimplifyMovement().run(graph)) == ["reshape", "relu"]


def test_true_transpose_stays_and_says_so():
    b = GraphBuilder("g")
    graph = b.graph(b.op(Transpose((0, 2, 1)), b.input("x", (1, 3, 5)), name="swap"))
    assert why_not(SimplifyMovement(), graph, "swap") == "it reorders elements"


@pytest.mark.parametrize("op", [Conv2D((2, 1), padding="same"), Conv2D(), DepthwiseConv2D(dilation=(1, 2))])
def test_pads_become_an_attribute_of_the_convolution(op):
    b = GraphBuilder("g")
    x = b.input("x", (1, 6, 7, 3))
    rng = np.random.default_rng(1)
    shape = (1, 3, 3, 3) if isinstance(op, DepthwiseConv2D) else (4, 3, 3, 3)
    weight = b.const(rng.normal(size=shape).astype(np.float32), "w")
    graph = b.graph(b.op(op, b.op(Pad(((0, 0), (2, 1), (0, 3), (0, 0))), x), weight))
    folded = FoldPads().run(graph)
    assert ops_of(folded) == [op.name]
    data = rng.normal(size=x.shape).astype(np.float32)
    np.testing.assert_allclose(execute(folded, [data])[0], execute(graph, [data])[0], rtol=1e-5, atol=1e-5)


def test_pads_stay_where_a_kernel_knows_no_borders():
    b = GraphBuilder("g")
    padded = b.op(Pad(((0, 0), (1, 1), (0, 0), (0, 0))), b.input("x", (1, 4, 4, 2)))
    weight = b.const(np.ones((3, 1, 1, 2), np.float32), "w")
    graph = b.graph(b.op(Conv2D(), padded, weight, name="conv"))
    assert why_not(FoldPads(), graph, "conv") == "kernels for single pixels know no borders"


def test_slice_of_rows_is_taken_before_they_are_computed():
    b = GraphBuilder("g")
    x = b.input("x", (1, 6, 4))
    gamma, beta = b.const(np.ones(4, np.float32), "gamma"), b.const(np.zeros(4, np.float32), "beta")
    normal = b.op(LayerNorm(), layer(b, x), gamma, beta)
    graph = b.graph(b.op(StridedSlice((0, 0, 0), (1, 1, 4), (1, 1, 1)), normal))
    hoisted = HoistSlice().run(graph)
    assert ops_of(hoisted) == ["strided_slice", "fully_connected", "layer_norm"]
    data = np.random.default_rng(1).normal(size=(1, 6, 4)).astype(np.float32)
    np.testing.assert_allclose(execute(hoisted, [data])[0], execute(graph, [data])[0], rtol=1e-5, atol=1e-5)


def test_equal_nodes_are_computed_once():
    b = GraphBuilder("g")
    x = b.input("x", (2, 3))
    graph = b.graph(b.op(Add(), b.op(Reshape((3, 2)), x), b.op(Reshape((3, 2)), x)))
    assert ops_of(MergeDuplicates().run(graph)) == ["reshape", "add"]


@pytest.mark.parametrize(
    ("inner", "clamp", "dropped"),
    [(Logistic(), Relu6(), True), (Tanh(), Relu(), False), (Tanh(), Clip(-1.0, 2.0), True), (Relu(), Relu6(), False)],
)
def test_clamp_of_what_lies_within_is_dropped(inner, clamp, dropped):
    b = GraphBuilder("g")
    pooled = b.op(MaxPool2D((2, 2), (1, 1)), b.op(inner, b.input("x", (1, 3, 3, 2))))
    graph = b.graph(b.op(clamp, pooled))
    assert len(DropClamp().run(graph).nodes) == 3 - dropped
