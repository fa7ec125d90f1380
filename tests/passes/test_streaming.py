"""Clip models hop by hop: equal to the clip where the pass says so, in the reference and in C."""

import numpy as np
import pytest
from architectures import FAMILIES, recipe
from streaming import SMALL, Pair, audio_frames, hops, pair_of

from edgetx.compiler.quantized import quantize_model
from edgetx.compiler.streaming import FRAMES_FROM_RESET, compare_with_clip
from edgetx.errors import ConfigError
from edgetx.frontends.torch import export_module
from edgetx.ir import GraphBuilder
from edgetx.ir.verify import INTEGER, verify
from edgetx.nn import build
from edgetx.ops import Add, Conv2D, FullyConnected, Gather, LayerNorm, Mean, Pad, Reshape, StridedSlice
from edgetx.passes.streaming import Stream, StreamError
from edgetx.quant import QuantRecipe
from edgetx.reference import execute


@pytest.fixture(scope="module", params=SMALL)
def pair(request) -> Pair:
    return pair_of(request.param)


def test_graph_is_valid(pair):
    verify(pair.streamed.graph, INTEGER)


def test_hops_equal_the_clip_at_every_window_of_full_context(pair):
    streamed, clip = pair.streamed, pair.clip
    x = audio_frames(clip, 3 * streamed.clip_frames)
    (found,) = zip(*hops(streamed, x), strict=True)
    compared = 0
    for h in range(max(streamed.ends_with_window, streamed.ready) - 1, len(found)):
        start = (h + 1) * streamed.hop - streamed.clip_frames - streamed.lag
        window = x[:, start : start + streamed.clip_frames]
        if not streamed.padded and not streamed.endless and window.shape[1] == streamed.clip_frames:
            np.testing.assert_array_equal(found[h], execute(clip, [window])[0], f"hop {h}")
            compared += 1
    assert compared > 5 or streamed.padded or streamed.endless


def test_clip_right_after_reset_gives_its_own_answer(pair):
    if not pair.streamed.from_reset:
        pytest.skip("waits for frames that a clip pads")
    for seed in range(4):
        x = audio_frames(pair.clip, pair.streamed.clip_frames, seed)
        (*_, (last,)) = hops(pair.streamed, x)
        np.testing.assert_array_equal(last, execute(pair.clip, [x])[0])


def test_interior_frames_of_padded_clips_are_those_of_the_stream(pair):
    streamed, clip = pair.streamed, pair.clip
    for name, flow in streamed.bodies.items():
        value = next(v for v in clip.values if v.name == name)
        body = clip.__class__(clip.name, clip.inputs, (value,), clip.nodes, clip.consts).without_dead_code()
        x = audio_frames(clip, streamed.clip_frames)
        expected = np.moveaxis(execute(body, [x])[0], flow.axis, 0)
        frames = np.concatenate([np.moveaxis(f, flow.axis, 0) for (f,) in hops(streamed, x, flow.value)])
        for i in range(max(0, flow.ready - flow.delay), len(expected)):
            if i + flow.delay < len(frames):
                np.testing.assert_array_equal(frames[i + flow.delay], expected[i], f"frame {i}")


def test_longer_hop_changes_nothing(pair):
    short = pair.streamed
    long = Stream(4 * short.hop).streamed(pair.clip)
    x = audio_frames(pair.clip, 12 * long.hop)
    few, many = list(hops(long, x)), list(hops(short, x))
    for index, ((a,), (b,)) in enumerate(zip(few, many[3::4], strict=True)):
        if not short.frame_outputs:
            np.testing.assert_array_equal(a, b, f"hop {index}")


def test_strided_model_takes_hops_of_its_stride():
    assert pair_of("strided").streamed.hop == 4


def test_hop_that_does_not_fit_the_strides_is_refused():
    with pytest.raises(ConfigError, match="a hop of 3 frames") as error:
        Stream(3).streamed(pair_of("strided").clip)
    assert "multiples of 4" in error.value.hint


def test_look_ahead_is_what_the_padding_hid():
    assert pair_of("same").streamed.lag == 3
    assert pair_of("causal").streamed.lag == pair_of("valid").streamed.lag == 0


REFUSED = {
    "keyword_transformer": "class token",
    "statistics-mlp": "global normalization",
    "poolformer-micro": "place in the clip",
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_stream_is_refused_with_its_layer_and_the_alternative(name):
    r = recipe(name, FAMILIES[name], clip_ms=500.0)
    x = np.random.default_rng(0).normal(size=(2, *r.input_shape)).astype(np.float32)
    graph = quantize_model(export_module(build(r).eval(), x[:1], "m"), x, QuantRecipe()).float_graph
    with pytest.raises(StreamError, match=REFUSED[name]) as error:
        Stream().streamed(graph)
    assert error.value.where
    assert error.value.hint


def test_flattening_time_is_refused():
    b = GraphBuilder("flat")
    x = b.input("x", (1, 8, 4))
    flat = b.op(Reshape((1, 32)), x, name="flatten")
    y = b.op(FullyConnected(), flat, b.const(np.ones((2, 32), np.float32)))
    with pytest.raises(StreamError, match="flattens time") as error:
        Stream().streamed(b.graph(y))
    assert error.value.where == "flatten"


def test_global_normalization_is_refused_as_such():
    b = GraphBuilder("normalized")
    x = b.op(Reshape((1, 32)), b.input("x", (1, 8, 4)), name="groups")
    ones = b.const(np.ones(32, np.float32))
    y = b.op(Mean((1,)), b.op(Reshape((1, 8, 4)), b.op(LayerNorm(), x, ones, ones), name="norm"))
    with pytest.raises(StreamError, match="global normalization") as error:
        Stream().streamed(b.graph(y))
    assert error.value.where == "groups"
    assert "batch norm" in error.value.hint


def test_recurrence_that_is_written_out_is_refused_as_such():
    b = GraphBuilder("unrolled")
    x = b.input("x", (1, 4, 3))
    steps = [b.op(StridedSlice((0, t, 0), (1, t + 1, 3), (1, 1, 1)), x, name=f"step{t}") for t in range(4)]
    total = steps[0]
    for step in steps[1:]:
        total = b.op(Add(), total, step)
    with pytest.raises(StreamError, match="step by step"):
        Stream().streamed(b.graph(total))


def test_frames_in_another_order_are_refused():
    b = GraphBuilder("flipped")
    x = b.input("x", (1, 4, 3))
    with pytest.raises(StreamError, match="another order"):
        Stream().streamed(b.graph(b.op(Gather(1, (3, 2, 1, 0)), x)))


def test_answers_for_every_frame_are_those_of_the_clip():
    b = GraphBuilder("frames")
    x = b.op(Pad(((0, 0), (2, 0), (0, 0), (0, 0))), b.input("x", (1, 8, 1, 4)))
    w = b.const(np.random.default_rng(0).normal(size=(2, 3, 1, 4)).astype(np.float32))
    graph = b.graph(b.op(Conv2D(), x, w))
    samples = np.random.default_rng(1).normal(size=(8, 8, 1, 4)).astype(np.float32)
    clip = quantize_model(graph, samples, QuantRecipe()).graph
    clips = np.random.default_rng(2).integers(-128, 128, (6, 8, 1, 4)).astype(np.int8)
    equality = compare_with_clip(clip, Stream().streamed(clip), clips)
    assert (equality.claim, equality.compared, equality.mismatches) == (FRAMES_FROM_RESET, 6, 0)


def test_graph_that_streams_already_is_refused():
    with pytest.raises(StreamError, match="already"):
        Stream().streamed(pair_of("causal").streamed.graph)


def test_mean_over_padding_is_refused():
    b = GraphBuilder("padded")
    x = b.input("x", (1, 8, 4))
    y = b.op(Mean((1,)), b.op(Pad(((0, 0), (2, 0), (0, 0))), x))
    with pytest.raises(StreamError, match="padding"):
        Stream().streamed(b.graph(y))


def test_convolution_that_takes_time_for_channels_is_refused():
    b = GraphBuilder("channels")
    x = b.input("x", (1, 1, 1, 8))
    y = b.op(Conv2D(), x, b.const(np.ones((2, 1, 1, 8), np.float32)))
    with pytest.raises(StreamError, match="as channels"):
        Stream().streamed(b.graph(y))


def test_models_in_c_equal_the_reference(pair, tmp_path):
    from edgetx.backends.c import emit_c, write_c
    from edgetx.firmware import build_host_library
    from edgetx.runtimes.host_c import HostC

    graph = pair.streamed.graph
    write_c(emit_c(graph), tmp_path / "c")
    model = HostC(build_host_library(tmp_path / "c", tmp_path / "m.so"), graph.inputs, graph.outputs)
    x = audio_frames(pair.clip, 3 * pair.streamed.clip_frames, 3)
    for _ in range(2):
        model.reset()
        for index, (expected, hop) in enumerate(zip(hops(pair.streamed, x), pair.cut(x), strict=True)):
            np.testing.assert_array_equal(model.run([hop])[0], expected[0], f"hop {index}")
