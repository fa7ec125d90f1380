"""The quantization plan: width and parameters of every activation, as a record that people can read and edit."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import cast

import numpy as np

from edgetx.config import parse
from edgetx.errors import QuantError
from edgetx.ir import DType, Graph, Node, QuantParams, Value
from edgetx.ops import Op
from edgetx.ops.quant_rule import QuantRule, Result
from edgetx.quant.agree import with_agreeing_factors
from edgetx.quant.calibrate import Ranges
from edgetx.quant.recipe import QuantRecipe


@dataclass(frozen=True)
class TensorPlan:
    """Width and parameters of one activation: real = scale · (q − zero_point)."""

    bits: int
    scale: float
    zero_point: int

    @property
    def dtype(self) -> DType:
        """Element type."""
        return "int8" if self.bits == 8 else "int16"

    @property
    def params(self) -> QuantParams:
        """The parameters as the IR has them."""
        return QuantParams((self.scale,), self.zero_point)


@dataclass(frozen=True)
class QuantPlan:
    """The plan of a graph, by tensor name; recipe and method of calibration say where it is from."""

    recipe: str
    tensors: dict[str, TensorPlan] = field(default_factory=dict)
    method: str = ""

    def to_json(self) -> dict[str, object]:
        """As plain data."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, object], where: str = "plan") -> "QuantPlan":
        """Read an edited plan.

        Raises:
            QuantError: If a width, scale or zero point is not one.
        """
        plan = parse(data, cls, where, QuantError)
        for name, tensor in plan.tensors.items():
            limit = 1 << (tensor.bits - 1) if tensor.bits in (8, 16) else 0
            if not limit or not 0 < tensor.scale < np.inf or not -limit <= tensor.zero_point < limit:
                raise QuantError(f"not a quantization: {tensor}", where=f"{where}.{name}")
            if tensor.bits == 16 and tensor.zero_point:
                raise QuantError("16 bits have the zero point 0", where=f"{where}.{name}", hint="adapt the scale to it")
        return plan


def make_plan(
    graph: Graph, ranges: Ranges, recipe: QuantRecipe, given: Mapping[str, TensorPlan] | None = None
) -> QuantPlan:
    """Choose width and parameters of every activation.

    Tensors that an op needs in one quantization share the union of their ranges, or the parameters given for one.

    Args:
        graph: A float graph.
        ranges: What calibration saw.
        recipe: What to quantize to.
        given: Parameters to keep, by tensor name.

    Raises:
        QuantError: If an activation was not calibrated.
    """
    symmetric: set[str] = set()
    fixed: dict[str, Mapping[int, QuantParams]] = {}
    for node in graph.nodes:
        rule = cast(Op, node.op).quant_rule()
        if isinstance(rule.result, Mapping):
            fixed.update({v.name: rule.result for v in node.outputs})
        fixed.update({name: {bits: params} for name, (bits, params) in _prescribed(node, rule).items()})
        symmetric.update(node.inputs[index].name for index in rule.symmetric)
    widths, least = _widths(graph, recipe), _least_widths(graph)
    every = _ranges_with_consts(graph, ranges)
    tensors: dict[str, TensorPlan] = {}
    tied = tied_tensors(graph)
    for members in tied:
        kept = next((given[name] for name in members if given and name in given), None)
        plan = kept or _plan_group(members, every, widths | least, symmetric, fixed)
        tensors.update(dict.fromkeys(members, plan))
    agreed = with_agreeing_factors(graph, tensors, tied, {*fixed, *(given or ())})
    return QuantPlan(recipe.name, agreed, recipe.method)


def raised_in(plan: QuantPlan, graph: Graph, recipe: QuantRecipe) -> frozenset[str]:
    """Names of the activations of a float graph that have 16 bits in a plan, and would not by a recipe."""
    widths = _widths(graph, recipe) | _least_widths(graph)
    return frozenset(n for n, bits in widths.items() if bits == 8 and n in plan.tensors and plan.tensors[n].bits == 16)


def tied_tensors(graph: Graph) -> list[list[str]]:
    """Names of the activations of a float graph, together those that an op needs in one quantization."""
    groups = _Groups()
    for node in graph.nodes:
        rule = cast(Op, node.op).quant_rule()
        if rule.result is Result.SAME_AS_INPUT:
            groups.join([node.inputs[0].name, *(v.name for v in node.outputs)])
        if rule.shared:
            groups.join([*(v.name for v in _activations(node, rule)), *(v.name for v in node.outputs)])
        if rule.state:
            groups.join([node.inputs[-1].name, *(node.outputs[index].name for index in rule.state.results)])
    for state in graph.states:
        groups.join([state.read.name, state.write.name])
    return groups.of(_quantized_names(graph))


def _plan_group(
    members: list[str],
    ranges: Ranges,
    widths: Mapping[str, int],
    symmetric: set[str],
    fixed: Mapping[str, Mapping[int, QuantParams]],
) -> TensorPlan:
    missing = [name for name in members if name not in ranges]
    if missing:
        raise QuantError("was not calibrated", where=missing[0])
    bits = min(widths[name] for name in members)
    if (source := next((name for name in members if name in fixed), None)) is not None:
        bits = bits if bits in fixed[source] else max(fixed[source])
        params = fixed[source][bits]
        return TensorPlan(bits, params.scale[0], params.zero_point)
    low = min(ranges[name][0] for name in members)
    high = max(ranges[name][1] for name in members)
    return tensor_plan(low, high, bits, symmetric=bits == 16 or any(name in symmetric for name in members))


def tensor_plan(low: float, high: float, bits: int, *, symmetric: bool) -> TensorPlan:
    """Parameters that cover [low, high] and represent 0 exactly; the scale is a single-precision number."""
    low, high = min(low, 0.0), max(high, 0.0)
    half = 1 << (bits - 1)
    if symmetric:
        scale = max(-low, high) / (half - 1)
        return TensorPlan(bits, _single(scale), 0)
    scale = _single((high - low) / (2 * half - 1))
    return TensorPlan(bits, scale, int(np.clip(round(-half - low / scale), -half, half - 1)))


def _single(scale: float) -> float:
    return float(np.float32(scale)) if scale > 1e-30 else 1.0


def _activations(node: Node, rule: QuantRule) -> list[Value]:
    """Operands that are quantized like activations."""
    return [value for index, value in enumerate(node.inputs) if index not in rule.consts]


def _quantized_names(graph: Graph) -> list[str]:
    names = [v.name for v in graph.inputs] + [s.read.name for s in graph.states]
    for node in graph.nodes:
        names += [v.name for v in _activations(node, cast(Op, node.op).quant_rule())]
        names += [v.name for v in node.outputs]
    return list(dict.fromkeys(names))


def _ranges_with_consts(graph: Graph, ranges: Ranges) -> Ranges:
    """Constants among activations (position embeddings, class tokens) have their own range."""
    own = {name: (float(data.min()), float(data.max())) for name, data in graph.consts.items() if data.size}
    return {**own, **{state.name: ranges.get(state.write.name, (0.0, 0.0)) for state in graph.states}, **ranges}


def _widths(graph: Graph, recipe: QuantRecipe) -> dict[str, int]:
    """The recipe's width, or 16 up to wide ops, where every op that touches a tensor has arithmetic for it, else 8."""
    widths = dict.fromkeys(_quantized_names(graph), recipe.activation_bits)
    widths |= dict.fromkeys((*recipe.raised, *_up_to_wide_ops(graph)), 16)
    for node in graph.nodes:
        known = cast(Op, node.op).activation_bits
        widths.update({v.name: 8 for v in (*node.inputs, *node.outputs) if widths.get(v.name) not in known})
    return widths


def _prescribed(node: Node, rule: QuantRule) -> dict[str, tuple[int, QuantParams]]:
    """Width and quantization of the operands and results for which the op knows only one."""
    operands = {node.inputs[index].name: given for index, given in rule.fixed_operands.items()}
    return operands | {node.outputs[index].name: given for index, given in rule.fixed.items()}


def _least_widths(graph: Graph) -> dict[str, int]:
    """Widths that ops prescribe: of states, and of what has a quantization of its own."""
    widths: dict[str, int] = {}
    for node in graph.nodes:
        rule = cast(Op, node.op).quant_rule()
        widths.update({name: bits for name, (bits, _) in _prescribed(node, rule).items()})
        if rule.state:
            values = (node.inputs[-1], *(node.outputs[index] for index in rule.state.results))
            widths.update({value.name: rule.state.bits for value in values})
    return widths


def _up_to_wide_ops(graph: Graph) -> set[str]:
    """Results of wide ops and all that they are computed from."""
    names: set[str] = set()
    for node in reversed(graph.nodes):
        if cast(Op, node.op).wide or any(value.name in names for value in node.outputs):
            names.update(value.name for value in (*node.inputs, *node.outputs))
    return names


class _Groups:
    """Disjoint sets of tensor names."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}

    def find(self, name: str) -> str:
        while (parent := self._parent.get(name, name)) != name:
            name = parent
        return name

    def join(self, names: Iterable[str]) -> None:
        first, *others = names
        for other in others:
            self._parent[self.find(other)] = self.find(first)

    def of(self, names: Iterable[str]) -> list[list[str]]:
        groups: dict[str, list[str]] = {}
        for name in names:
            groups.setdefault(self.find(name), []).append(name)
        return list(groups.values())
