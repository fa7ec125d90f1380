"""Graphs survive being saved, and damaged files are refused."""

import io
import json
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgetx.errors import EdgetxError, ModelError
from edgetx.ir import Graph, GraphBuilder, QuantParams
from edgetx.ir.serialize import load_graph, save_graph
from edgetx.ops import REGISTRY, Attention, FullyConnected, Gelu, LayerNorm
from edgetx.ops.add import Add


def float_graph() -> Graph:
    rng = np.random.default_rng(0)
    b = GraphBuilder("float")
    x = b.input("x", (1, 6, 8))
    w = b.const(rng.normal(size=(8, 8)).astype(np.float32), "w")
    gamma, beta = (b.const(rng.normal(size=8).astype(np.float32), name) for name in ("gamma", "beta"))
    h = b.op(LayerNorm(1e-6), x, gamma, beta)
    h = b.op(Attention(2, 0.5), h, h, h)
    return b.graph(b.op(Gelu("tanh"), b.op(FullyConnected("relu"), h, w)), x)


def integer_graph_with_states() -> Graph:
    b = GraphBuilder("integer")
    quant = QuantParams((0.1,), -3)
    x = b.input("x", (1, 4), "int8", quant)
    later = b.state("later", np.full((1, 4), 7, np.int8), quant)
    earlier = b.state("earlier", np.full((1, 4), 9, np.int8), quant)
    w = b.const(np.arange(16, dtype=np.int8).reshape(4, 4), "w", QuantParams((0.1, 0.2, 0.3, 1 / 3), 0, 0))
    y = b.op(Add(), x, later, quant=("int8", quant))
    z = b.op(FullyConnected(), b.op(Add(), y, earlier, quant=("int8", quant)), w, quant=("int8", quant))
    b.write_state(later, y)
    b.write_state(earlier, z)
    return b.graph(z)


GRAPHS = [float_graph, integer_graph_with_states]


def assert_same(a: Graph, b: Graph) -> None:
    assert a == b
    assert str(a) == str(b)
    assert list(a.consts) == list(b.consts)
    for name, data in a.consts.items():
        assert data.dtype == b.consts[name].dtype
        np.testing.assert_array_equal(data, b.consts[name])
    for ours, theirs in zip(a.states, b.states, strict=True):
        np.testing.assert_array_equal(ours.init, theirs.init)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "graph.npz"
    save_graph(integer_graph_with_states(), path)
    return path


@pytest.mark.parametrize("make", GRAPHS)
def test_round_trip_keeps_everything(make: Callable[[], Graph], tmp_path: Path) -> None:
    path = tmp_path / "graph.npz"
    save_graph(make(), path)
    assert_same(load_graph(path, REGISTRY), make())


def test_same_graph_gives_same_bytes(saved: Path, tmp_path: Path) -> None:
    save_graph(load_graph(saved, REGISTRY), tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == saved.read_bytes()


def test_only_the_finished_file_is_left(saved: Path) -> None:
    assert list(saved.parent.iterdir()) == [saved]


def test_failed_write_leaves_the_old_file(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = saved.read_bytes()

    def full(self: Path, data: bytes) -> int:
        with self.open("wb") as file:
            file.write(data[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(EdgetxError, match="No space left"):
        save_graph(float_graph(), saved)
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]


def test_every_truncation_is_refused(saved: Path) -> None:
    whole = saved.read_bytes()
    for length in range(len(whole)):
        saved.write_bytes(whole[:length])
        with pytest.raises(ModelError):
            load_graph(saved, REGISTRY)


def test_damage_is_refused_or_harmless(saved: Path) -> None:
    whole = saved.read_bytes()
    graph = load_graph(saved, REGISTRY)
    for position in range(len(whole)):
        saved.write_bytes(whole[:position] + bytes([whole[position] ^ 0x55]) + whole[position + 1 :])
        with suppress(ModelError):
            assert_same(load_graph(saved, REGISTRY), graph)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="No such file") as error:
        load_graph(tmp_path / "absent.npz", REGISTRY)
    assert error.value.where == str(tmp_path / "absent.npz")


def set_in(*keys: Any, to: object) -> Callable[[Any], None]:
    def edit(index: Any) -> None:
        for key in keys[:-1]:
            index = index[key]
        index[keys[-1]] = to

    return edit


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (set_in("schema", to=2), "schema 1"),
        (set_in("colour", to="red"), "unknown key 'colour'"),
        (set_in("nodes", 0, "op", to="fully_conected"), "hint: did you mean 'fully_connected'"),
        (set_in("nodes", 0, "attributes", "size", to=2), "unknown key 'size'"),
        (set_in("nodes", 0, "attributes", "activation", to="swish"), "one of none, relu"),
        (set_in("nodes", 0, "inputs", 0, to="nobody"), "value 'nobody' has no type"),
        (set_in("nodes", 0, "inputs", 0, to="fully_connected"), "read that nothing has made"),
        (set_in("nodes", 1, "name", to="add"), "same name"),
        (set_in("types", "w", "shape", to=[2, 8]), "another shape"),
        (set_in("types", "x", "dtype", to="int4"), "one of float32"),
        (set_in("consts", to=[]), "3 arrays"),
        (set_in("outputs", to="add"), "expected an array"),
    ],
)
def test_wrong_contents_are_named(saved: Path, edit: Callable[[Any], None], message: str) -> None:
    with zipfile.ZipFile(saved) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    index = json.loads(members["graph.json"])
    edit(index)
    members["graph.json"] = json.dumps(index).encode()
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    saved.write_bytes(file.getvalue())
    with pytest.raises(ModelError) as error:
        load_graph(saved, REGISTRY)
    assert message in str(error.value)


def test_pickled_arrays_are_refused(saved: Path) -> None:
    member = io.BytesIO()
    np.save(member, np.array([object()]), allow_pickle=True)
    with zipfile.ZipFile(saved, "a") as archive:
        archive.writestr("9.npy", member.getvalue())
    with pytest.raises(ModelError, match="allow_pickle"):
        load_graph(saved, REGISTRY)
