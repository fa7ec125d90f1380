"""Graphs as files: a zip archive of `graph.json` and one `.npy` per array, first the constants, then the states.

`numpy.load` opens such a file too, and the same graph always gives the same bytes.
"""

import io
import json
import os
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from edgetx.config import did_you_mean, parse
from edgetx.errors import ModelError
from edgetx.ir.graph import Graph, Node, OpLike, State
from edgetx.ir.types import Array, TensorType, Value
from edgetx.ir.verify import STRUCTURE, verify
from edgetx.output import explained

SCHEMA = 1
INDEX = "graph.json"


@dataclass(frozen=True)
class NodeRecord:
    """A node in the file."""

    name: str
    op: str
    attributes: dict[str, object]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True)
class StateRecord:
    """A state in the file."""

    name: str
    read: str
    write: str


@dataclass(frozen=True)
class GraphRecord:
    """What `graph.json` holds."""

    schema: int
    name: str
    types: dict[str, TensorType]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    consts: tuple[str, ...]
    states: tuple[StateRecord, ...]
    nodes: tuple[NodeRecord, ...]


def save_graph(graph: Graph, path: Path) -> None:
    """Write a graph; the file is there whole or not at all.

    Raises:
        EdgetxError: If the file cannot be written.
    """
    partial = path.with_name(f".{path.name}.partial")
    with explained(path, OSError):
        try:
            partial.write_bytes(_pack(graph))
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)


def load_graph(path: Path, ops: Mapping[str, type[OpLike]]) -> Graph:
    """Read a graph.

    Args:
        path: A file that `save_graph` wrote.
        ops: The op classes by name: `edgetx.ops.REGISTRY`.

    Raises:
        ModelError: If the file is missing or damaged, or has ops or attributes that `ops` lacks.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            index = json.loads(archive.read(INDEX))
            arrays = [_unpack(archive.read(name)) for name in archive.namelist() if name != INDEX]
    except OSError as problem:
        raise ModelError(f"cannot read: {problem.strerror}", where=str(path)) from problem
    except _DAMAGE as problem:
        raise ModelError(f"not a graph file, or damaged: {problem}", where=str(path)) from problem
    graph = _Loader(str(path), ops).graph(index, arrays)
    verify(graph, STRUCTURE)
    return graph


_DAMAGE = (zipfile.BadZipFile, zlib.error, KeyError, EOFError, ValueError, NotImplementedError, RuntimeError)
"""What reading a damaged archive raises."""


class _Loader:
    """Turns the records of one file into a graph."""

    def __init__(self, where: str, ops: Mapping[str, type[OpLike]]) -> None:
        self.where, self.ops = where, ops
        self.values: dict[str, Value] = {}

    def graph(self, index: object, arrays: Sequence[Array]) -> Graph:
        record = self._record(index)
        if len(arrays) != len(record.consts) + len(record.states):
            raise ModelError(f"damaged: {len(arrays)} arrays", where=self.where)
        self.values = {name: Value(name, tensor_type) for name, tensor_type in record.types.items()}
        inits = arrays[len(record.consts) :]
        return Graph(
            record.name,
            self._all(record.inputs),
            self._all(record.outputs),
            tuple(map(self._node, record.nodes)),
            dict(zip(record.consts, arrays, strict=False)),
            tuple(self._state(state, init) for state, init in zip(record.states, inits, strict=True)),
        )

    def _record(self, index: object) -> GraphRecord:
        if not isinstance(index, Mapping) or index.get("schema") != SCHEMA:
            raise ModelError(f"not a graph file of schema {SCHEMA}", where=self.where)
        return parse(index, GraphRecord, self.where, ModelError)

    def _node(self, record: NodeRecord) -> Node:
        where = f"{self.where}.{record.name}"
        if record.op not in self.ops:
            raise ModelError(f"unknown op '{record.op}'", where=where, hint=did_you_mean(record.op, self.ops))
        op = parse(record.attributes, self.ops[record.op], where, ModelError)
        return Node(record.name, op, self._all(record.inputs), self._all(record.outputs))

    def _state(self, record: StateRecord, init: Array) -> State:
        return State(record.name, init, *self._all((record.read, record.write)))

    def _all(self, names: Sequence[str]) -> tuple[Value, ...]:
        if unknown := [name for name in names if name not in self.values]:
            raise ModelError(f"damaged: value '{unknown[0]}' has no type", where=self.where)
        return tuple(self.values[name] for name in names)


def _pack(graph: Graph) -> bytes:
    record = _record(graph)
    arrays = [*(graph.consts[name] for name in record.consts), *(state.init for state in graph.states)]
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        _add(archive, INDEX, json.dumps(asdict(record), indent=1).encode())
        for index, array in enumerate(arrays):
            member = io.BytesIO()
            np.save(member, array, allow_pickle=False)
            _add(archive, f"{index}.npy", member.getvalue())
    return file.getvalue()


def _record(graph: Graph) -> GraphRecord:
    values = (*graph.values, *graph.outputs, *(state.write for state in graph.states))
    types = {value.name: value.type for value in values}
    return GraphRecord(
        SCHEMA,
        graph.name,
        types,
        _names(graph.inputs),
        _names(graph.outputs),
        tuple(name for name in graph.consts if name in types),
        tuple(StateRecord(s.name, s.read.name, s.write.name) for s in graph.states),
        tuple(
            NodeRecord(n.name, n.op.name, asdict(n.op), _names(n.inputs), _names(n.outputs))  # type: ignore[call-overload]
            for n in graph.nodes
        ),
    )


def _names(values: Sequence[Value]) -> tuple[str, ...]:
    return tuple(value.name for value in values)


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    """Add a member without the time of day."""
    archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)


def _unpack(data: bytes) -> Array:
    return np.asarray(np.load(io.BytesIO(data), allow_pickle=False))
