import numpy as np
import pytest
import torch
from encoders import ENCODERS, FEATURES, FRAMES, imported
from torch import nn

from edgetx import ops
from edgetx.errors import ModelError, UnsupportedOpError
from edgetx.frontends.torch import export_module, load_pt2
from edgetx.passes.pipeline import canonicalize
from edgetx.reference import execute


@pytest.mark.parametrize("name", ENCODERS)
def test_imported_graph_computes_what_torch_does(name):
    graph, x, expected = imported(name)
    np.testing.assert_allclose(execute(graph, [x])[0], expected, atol=2e-5)


@pytest.mark.parametrize("name", ENCODERS)
def test_canonical_graph_computes_what_torch_does(name):
    graph, x, expected = imported(name)
    np.testing.assert_allclose(execute(canonicalize(graph), [x])[0], expected, atol=2e-5)


@pytest.mark.parametrize("name", [name for name in ENCODERS if name != "small cnn"])
def test_attention_is_fused_and_no_transpose_survives(name):
    graph = canonicalize(imported(name)[0])
    kinds = {type(node.op) for node in graph.nodes}
    assert ops.Attention in kinds
    assert not kinds & {ops.Softmax, ops.BatchMatmul, ops.Transpose}


def test_class_token_makes_the_last_layer_compute_one_row():
    graph = canonicalize(imported("one head no bias")[0])
    (attention,) = (node for node in graph.nodes if isinstance(node.op, ops.Attention))
    assert attention.output.shape == (1, 1, 16)
    assert attention.inputs[1].shape == (1, FRAMES + 1, 16)


class Wrapped(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function, self.layer = function, nn.Linear(FEATURES, 4)

    def forward(self, x):
        return self.function(self.layer(x))


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: torch.cumsum(x, 1), "cumsum"),
        (lambda x: torch.softmax(x, 1), "softmax over axis"),
        (lambda x: torch.clamp(x, -2, 2), "clamp"),
        (lambda x: torch.nn.functional.pad(x, (1, 1), mode="reflect"), "reflect|pad|index"),
        (lambda x: torch.linalg.norm(x), "norm|sum"),
    ],
)
def test_unsupported_op_is_named(function, message):
    with pytest.raises(UnsupportedOpError, match=message):
        export_module(Wrapped(function), torch.randn(1, FRAMES, FEATURES), "model")


def test_dynamic_shape_is_refused_with_a_way_out(tmp_path):
    program = torch.export.export(
        Wrapped(torch.relu), (torch.randn(2, FRAMES, FEATURES),), dynamic_shapes=({0: torch.export.Dim("batch")},)
    )
    torch.export.save(program, tmp_path / "dynamic.pt2")
    with pytest.raises(ModelError, match="dynamic shape") as error:
        load_pt2(tmp_path / "dynamic.pt2")
    assert "dynamic_shapes" in error.value.hint


def test_batch_of_several_is_refused(tmp_path):
    program = torch.export.export(Wrapped(torch.relu), (torch.randn(3, FRAMES, FEATURES),))
    torch.export.save(program, tmp_path / "batch.pt2")
    with pytest.raises(ModelError, match="batch size 3"):
        load_pt2(tmp_path / "batch.pt2")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 nothing", b"\x00" * 100])
def test_damaged_program_is_refused(tmp_path, content):
    path = tmp_path / "damaged.pt2"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="not a program"):
        load_pt2(path)
