"""Graphs of the Neuromorphic Intermediate Representation (Pedersen et al., 2024), in which spiking networks travel.

A NIR graph is a system in continuous time. It becomes a graph that computes one time step per invocation and keeps its
neurons' state, by forward Euler with a step `dt`, as snnTorch, Norse and others do: τ v' = (v_leak − v) + r I becomes
v ← v + dt/τ (v_leak − v + r I). A connection that closes a cycle carries the spikes of the step before.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edgetx import ops
from edgetx.errors import ModelError, ToolchainError, UnsupportedOpError
from edgetx.ir import Array, Graph, GraphBuilder, Value

DEFAULT_DT = 1e-4
"""Seconds of a time step where nothing else is said, as in snnTorch and Norse."""

Handler = Callable[["_Importer", str, Any, Value], Value]


def load_nir(path: Path, dt: float = DEFAULT_DT) -> Graph:
    """Read a NIR graph.

    Args:
        path: A file written by `nir.write`.
        dt: Seconds of a time step.

    Raises:
        ModelError: If the file is not a NIR graph, or not one of one input and one output.
        UnsupportedOpError: If a node has no integer form; names it.
        ToolchainError: If the package `nir` is missing.
    """
    try:
        import nir
    except ModuleNotFoundError as problem:
        raise ToolchainError("package nir is not installed", hint="pip install nir") from problem
    try:
        graph = nir.read(str(path))
    except Exception as problem:  # h5py and nir raise whatever their readers raise
        reason = (str(problem).splitlines() or [""])[0]
        raise ModelError(f"not a NIR graph ({type(problem).__name__}: {reason})", where=str(path)) from problem
    return _Importer(path.stem, graph, dt).run()


class _Importer:
    """Walks from the output to the input."""

    def __init__(self, name: str, graph: Any, dt: float) -> None:
        self.nodes: dict[str, Any] = dict(graph.nodes)
        self.edges: list[tuple[str, str]] = [(str(a), str(b)) for a, b in graph.edges]
        self.dt = dt
        self.b = GraphBuilder(name)
        self.done: dict[str, Value] = {}
        self.open: set[str] = set()
        self.late: dict[str, Value] = {}

    def run(self) -> Graph:
        start, end = self._end("Input"), self._end("Output")
        self.done[start] = self.b.input("x", (1, 1, _size(next(iter(self.nodes[start].input_type.values())))))
        result = self._operand(end)
        for name, read in self.late.items():
            self.b.write_state(read, self._value(name))
        return self.b.graph(result)

    def _end(self, kind: str) -> str:
        found = [name for name, node in self.nodes.items() if type(node).__name__ == kind]
        if len(found) != 1:
            raise ModelError(f"a graph with {len(found)} nodes {kind}; one is compiled", where=self.b.name)
        return found[0]

    def _operand(self, name: str) -> Value:
        """The sum of what leads to a node."""
        sources = [a for a, b in self.edges if b == name]
        if not sources:
            raise ModelError("nothing leads to it", where=name)
        total = self._value(sources[0])
        for source in sources[1:]:
            total = self.b.op(ops.Add(), total, self._value(source), name=f"{name}.sum")
        return total

    def _value(self, name: str) -> Value:
        if name in self.done:
            return self.done[name]
        if name not in self.nodes:
            raise ModelError("an edge comes from a node that is not there", where=name)
        if name in self.open:
            return self._previous(name)
        self.open.add(name)
        node = self.nodes[name]
        handler = HANDLERS.get(type(node).__name__)
        if handler is None:
            known = ", ".join(sorted(HANDLERS))
            raise UnsupportedOpError(f"NIR node {type(node).__name__}", where=name, hint=f"compiled are {known}")
        try:
            self.done[name] = handler(self, name, node, self._operand(name))
        except ModelError as error:
            raise type(error)(error.what, where=error.where or name, hint=error.hint) from error
        self.open.discard(name)
        return self.done[name]

    def _previous(self, name: str) -> Value:
        """What a node of spiking neurons gave in the step before."""
        node = self.nodes[name]
        if type(node).__name__ not in ("LIF", "CubaLIF"):
            raise UnsupportedOpError(
                f"a cycle through {type(node).__name__}", where=name, hint="let cycles pass through spiking neurons"
            )
        if name not in self.late:
            shape = (1, 1, np.asarray(node.v_threshold).size)
            self.late[name] = self.b.state(f"{name}.previous", np.zeros(shape, np.float32))
        return self.late[name]

    def const(self, data: Array, name: str) -> Value:
        return self.b.const(_numbers(data).astype(np.float32), name)

    def neurons(self, name: str, x: Value, node: Any, tau: Array, gain: Array) -> Value:
        """LIF neurons on a current; thresholds that differ are made 1 by scaling the membranes."""
        size = x.shape[-1]
        thresholds, reset, leak = (_each(getattr(node, field), size) for field in ("v_threshold", "v_reset", "v_leak"))
        steps = _uniform(tau, "time constants") / self.dt
        if reset.any():
            raise UnsupportedOpError("neurons that are reset to other than 0", hint="shift v_leak and v_threshold")
        if steps < 1 or (thresholds <= 0).any():
            raise ModelError(f"a time constant of {steps:.3g} steps and a threshold of {thresholds.min():.3g}",
                             hint="at least one step of dt, above 0")  # fmt: skip
        constants = [self.const(gain / thresholds, f"{name}.gain"), self.const(leak / thresholds, f"{name}.shift")]
        membrane = self.b.state(f"{name}.membrane", np.zeros((1, size), np.float32))
        spikes, after = self.b.ops(ops.Lif(1.0, float(steps)), x, *constants, membrane, name=name)
        self.b.write_state(membrane, after)
        return spikes

    def low_pass(self, name: str, x: Value, tau: Array, gain: Array, rest: Array) -> Value:
        """y ← y + dt/τ (rest − y + gain · x), neuron by neuron."""
        share = self.dt / tau
        if (share > 1).any():
            raise ModelError("a time constant below one step of dt", where=name)
        driven = self.b.op(ops.Mul(), x, self.const(share * gain, f"{name}.gain"), name=f"{name}.scaled")
        if rest.any():
            driven = self.b.op(ops.Add(), driven, self.const(share * rest, f"{name}.rest"), name=f"{name}.driven")
        decay = self.const((1 - share)[None, None], f"{name}.decay")
        state = self.b.state(f"{name}.state", np.zeros((1, x.shape[-1]), np.float32))
        y, after = self.b.ops(ops.LinearRecurrence(), decay, driven, state, name=name)
        self.b.write_state(state, after)
        return y


def _linear(s: _Importer, name: str, node: Any, x: Value) -> Value:
    weight = s.const(node.weight, f"{name}.weight")
    bias = s.const(_each(getattr(node, "bias", 0.0), weight.shape[0]), f"{name}.bias")
    return s.b.op(ops.FullyConnected(), x, weight, bias, name=name)


def _scale(s: _Importer, name: str, node: Any, x: Value) -> Value:
    return s.b.op(ops.Mul(), x, s.const(_each(node.scale, x.shape[-1]), f"{name}.scale"), name=name)


def _flatten(s: _Importer, name: str, node: Any, x: Value) -> Value:
    return x


def _lif(s: _Importer, name: str, node: Any, x: Value) -> Value:
    return s.neurons(name, x, node, _each(node.tau, x.shape[-1]), _each(node.r, x.shape[-1]))


def _li(s: _Importer, name: str, node: Any, x: Value) -> Value:
    tau, gain, rest = (_each(getattr(node, field), x.shape[-1]) for field in ("tau", "r", "v_leak"))
    return s.low_pass(name, x, tau, gain, rest)


def _cuba_lif(s: _Importer, name: str, node: Any, x: Value) -> Value:
    tau, synapse, gain, into = (
        _each(getattr(node, field), x.shape[-1]) for field in ("tau_mem", "tau_syn", "r", "w_in")
    )
    current = s.low_pass(f"{name}.synapse", x, synapse, into, np.zeros_like(into))
    return s.neurons(name, current, node, tau, gain)


def _conv(s: _Importer, name: str, node: Any, x: Value) -> Value:
    """Channels come first in NIR, and every value is flat here, in that order."""
    weight = np.asarray(node.weight)
    axes = weight.ndim - 2
    given = node.input_shape if isinstance(node.input_shape, Sequence | np.ndarray) else (node.input_shape,)
    sizes = [1] * (2 - axes) + [int(n) for n in given]
    if int(node.groups) != 1:
        raise UnsupportedOpError(f"a convolution of {node.groups} groups", hint="use one group")
    stride, dilation = (_pair(value, axes, 1) for value in (node.stride, node.dilation))
    kernel = weight.reshape(*weight.shape[:2], *[1] * (2 - axes), *weight.shape[2:])
    pads = _pads(node.padding, kernel.shape[2:], dilation, axes)
    image = s.b.op(ops.Reshape((1, weight.shape[1], *sizes)), x, name=f"{name}.image")
    image = s.b.op(ops.Transpose((0, 2, 3, 1)), image, name=f"{name}.last")
    if any(map(any, pads)):
        image = s.b.op(ops.Pad(((0, 0), *pads, (0, 0))), image, name=f"{name}.pad")
    y = s.b.op(
        ops.Conv2D(stride, dilation), image, s.const(kernel.transpose(0, 2, 3, 1), f"{name}.weight"),
        s.const(_each(node.bias, len(weight)), f"{name}.bias"), name=name,
    )  # fmt: skip
    first = s.b.op(ops.Transpose((0, 3, 1, 2)), y, name=f"{name}.first")
    return s.b.op(ops.Reshape((1, 1, y.type.size)), first, name=f"{name}.flat")


HANDLERS: dict[str, Handler] = {
    "Affine": _linear,
    "Conv1d": _conv,
    "Conv2d": _conv,
    "CubaLIF": _cuba_lif,
    "Flatten": _flatten,
    "LI": _li,
    "LIF": _lif,
    "Linear": _linear,
    "Scale": _scale,
}
"""By the name of the node's class."""


def _size(shape: Any) -> int:
    return int(np.prod(np.asarray(shape)))


def _numbers(value: Any) -> Array:
    try:
        return np.asarray(value, np.float64)
    except (TypeError, ValueError) as problem:
        raise ModelError(f"parameters that are no numbers: {problem}") from problem


def _each(value: Any, size: int) -> Array:
    """One number per neuron, in NIR's order."""
    flat = _numbers(value).ravel()
    if flat.size not in (1, size):
        raise ModelError(f"{flat.size} parameters for {size} values")
    return np.broadcast_to(flat, size)


def _uniform(values: Array, what: str) -> float:
    if np.ptp(values) > 1e-6 * abs(float(values[0])):
        raise UnsupportedOpError(f"spiking neurons of different {what} in one node", hint="make a node of each kind")
    return float(values[0])


def _pair(value: Any, axes: int, fill: int) -> tuple[int, int]:
    given = [int(n) for n in np.broadcast_to(np.asarray(value).ravel(), axes)]
    first, second = [fill] * (2 - axes) + given
    return first, second


def _pads(padding: Any, window: Sequence[int], dilation: Sequence[int], axes: int) -> list[tuple[int, int]]:
    if isinstance(padding, str) and padding not in ("same", "valid"):
        raise ModelError(f"unknown padding '{padding}'")
    if isinstance(padding, str):
        spans = [(k - 1) * d if padding == "same" else 0 for k, d in zip(window, dilation, strict=True)]
        return [(n // 2, n - n // 2) for n in spans]
    return [(n, n) for n in _pair(padding, axes, 0)]
