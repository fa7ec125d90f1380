"""Which activations are worth 16 bits: what each gains alone, then the best for their cycles together."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property

import numpy as np

from edgetx.compiler.on_target import built_and_simulated
from edgetx.compiler.quantized import AsStream, activation_ranges, as_inputs
from edgetx.errors import ConfigError
from edgetx.fixedpoint import dequantize, quantize
from edgetx.ir import Array, Arrays, DType, Graph, Node, QuantParams, TensorType, Value
from edgetx.ops import Quantize
from edgetx.passes.lower_lmu import LmuForm
from edgetx.passes.pipeline import canonicalize
from edgetx.quant import QuantPlan, QuantRecipe, Ranges, apply_plan, make_plan, tied_tensors, with_reach
from edgetx.quant.apply import signal_to_noise_db
from edgetx.reference import execute, initial_state
from edgetx.targets import Target

COMPARED_INPUTS = 32
"""Inputs on which answers are compared."""
_CONVERTED = 256


@dataclass(frozen=True)
class Sensitivity:
    """What 16 bits for one activation do, and for those that are quantized like it.

    Attributes:
        tensors: Their names.
        error: The share of the error's power that goes when they alone have 16 bits; negative if it grows.
        cycles: What that adds.
        raised: Whether they have 16 bits in the end.
    """

    tensors: tuple[str, ...]
    error: float
    cycles: int
    raised: bool = False


@dataclass(frozen=True)
class Mixed:
    """How the activations of a model share two widths.

    Attributes:
        snr_db: Power of the float model's answers over that of the integer model's error, over calibration inputs.
        narrow_snr_db: The same with 8 bits everywhere.
        wide_snr_db: The same with 16 bits wherever there is arithmetic for them.
        cycles: Cycles of one invocation, summed over layers simulated with 8 and with 16 bits.
        narrow_cycles: With 8 bits everywhere.
        wide_cycles: With 16 bits wherever there is arithmetic for them.
        sensitivities: The activations, those first that gain most.
    """

    snr_db: float
    narrow_snr_db: float
    wide_snr_db: float
    cycles: int
    narrow_cycles: int
    wide_cycles: int
    sensitivities: tuple[Sensitivity, ...]

    def to_json(self) -> dict[str, object]:
        """The section of the report."""
        return asdict(self)


def with_raised(
    imported: Graph,
    samples: Array,
    recipe: QuantRecipe,
    target: Target,
    lmu: LmuForm = "fir",
    progress: Callable[[str], None] = lambda _: None,
    streamed: AsStream | None = None,
) -> tuple[QuantRecipe, Mixed | None]:
    """The recipe with the activations that are worth 16 bits, where it asks for them.

    Activations are raised one after the other, the one first that takes most of the error for its cycles, as long as
    the error goes down and the recipe's share of extra cycles is kept.

    Args:
        imported: A float graph.
        samples: Calibration inputs, N × input shape.
        recipe: What to quantize to.
        target: The board whose cycles count.
        lmu: Form of the memories of LMUs.
        progress: Called with what is measured next.
        streamed: What the graph is hop by hop, where it will run so.

    Raises:
        ConfigError: If cycles of the target cannot be simulated.
        QuantError: If there are no samples.
    """
    if not recipe.mixed or not imported.outputs[0].type.is_float:
        return recipe, None
    graph = canonicalize(imported, lmu=lmu, endless=streamed is not None)
    narrow = activation_ranges(graph, samples, recipe, streamed=streamed)
    graph = with_reach(graph, narrow)
    whole = activation_ranges(graph, samples, replace(recipe, method="minmax"), streamed=streamed)
    inputs = as_inputs(graph, samples, COMPARED_INPUTS)
    bench = _Bench(graph, recipe, narrow, whole, inputs, target)
    found = []
    for number, tensors in enumerate(bench.candidates, 1):
        progress(f"sensitivity {number}/{len(bench.candidates)}: {tensors[0]}")
        raised = frozenset(tensors)
        share = 1 - bench.error(raised) / bench.error(frozenset())
        found.append(Sensitivity(tensors, share, bench.cycles(raised) - bench.cycles(frozenset())))
    raised = _chosen(bench, found)
    return replace(recipe, raised=raised), bench.mixed(raised, found)


def _chosen(bench: "_Bench", found: Iterable[Sensitivity]) -> frozenset[str]:
    """Names of the activations to raise."""
    allowed = bench.cycles(frozenset()) * (1 + bench.recipe.extra_cycles)
    raised: frozenset[str] = frozenset()
    waiting = [one for one in found if one.error > 0]
    while waiting:
        spent = bench.cycles(raised)
        costs = {one.tensors: bench.cycles(raised | set(one.tensors)) for one in waiting}
        waiting = [one for one in waiting if costs[one.tensors] <= allowed]
        best = max(waiting, key=lambda one: one.error / max(costs[one.tensors] - spent, 1), default=None)
        if best is None:
            break
        waiting.remove(best)
        if bench.error(raised | set(best.tensors)) < bench.error(raised):
            raised |= set(best.tensors)
    return raised


class _Bench:
    """Error and cycles of a graph with some activations in 16 bits and the others in 8."""

    def __init__(
        self, graph: Graph, recipe: QuantRecipe, narrow: Ranges, whole: Ranges, inputs: list[Arrays], target: Target
    ) -> None:
        self.graph, self.recipe, self.inputs, self.target = graph, recipe, inputs, target
        self.narrow, self.whole = narrow, whole
        self.real = _answers(graph, inputs)
        self._errors: dict[frozenset[str], float] = {}

    @cached_property
    def candidates(self) -> list[tuple[str, ...]]:
        """Activations that go together, for which there is arithmetic in both widths."""
        narrow = self._plan(frozenset()).tensors
        wide = make_plan(self.graph, self.whole, replace(self.recipe, activation_bits=16)).tensors
        return [
            tuple(tied) for tied in tied_tensors(self.graph) if (narrow[tied[0]].bits, wide[tied[0]].bits) == (8, 16)
        ]

    @cached_property
    def every(self) -> frozenset[str]:
        """Names of all candidates."""
        return frozenset(name for tensors in self.candidates for name in tensors)

    def error(self, raised: frozenset[str]) -> float:
        """Power of what is wrong in the answers, relative to them."""
        if raised not in self._errors:
            answers = _answers(self._integer(raised), self.inputs)
            self._errors[raised] = 10 ** (-signal_to_noise_db(self.real, answers) / 10)
        return self._errors[raised]

    def cycles(self, raised: frozenset[str]) -> int:
        """Cycles of one invocation."""
        return sum(self._cycles_of(node) for node in self._integer(raised).nodes)

    def mixed(self, raised: frozenset[str], found: Iterable[Sensitivity]) -> Mixed:
        """What is reported."""
        cases = raised, frozenset[str](), self.every
        decibels = (-10 * float(np.log10(self.error(case))) for case in cases)
        rows = (replace(one, raised=one.tensors[0] in raised) for one in found)
        ordered = tuple(sorted(rows, key=lambda one: -one.error))
        return Mixed(*decibels, *(self.cycles(case) for case in cases), ordered)  # type: ignore[call-arg, arg-type]

    def _plan(self, raised: frozenset[str]) -> QuantPlan:
        ranges = {**self.narrow, **{name: self.whole[name] for name in raised if name in self.whole}}
        return make_plan(self.graph, ranges, replace(self.recipe, raised=raised))

    def _integer(self, raised: frozenset[str]) -> Graph:
        return apply_plan(self.graph, self._plan(raised))

    def _cycles_of(self, node: Node) -> int:
        if isinstance(node.op, Quantize):
            return round(node.output.type.size * self._conversion[node.output.type.dtype])
        is_wide = _widths(node) != self._narrow_widths.get(node.name)
        return self._layers[is_wide].get(node.name, 0)

    @cached_property
    def _narrow_widths(self) -> Mapping[str, list[str]]:
        return {node.name: _widths(node) for node in self._integer(frozenset()).nodes}

    @cached_property
    def _layers(self) -> Mapping[bool, Mapping[str, int]]:
        """Cycles of each layer with 8, and with 16 bits."""
        return {
            wide: _simulated(self._integer(self.every if wide else frozenset()), self.inputs[0], self.target)
            for wide in (False, True)
        }

    @cached_property
    def _conversion(self) -> Mapping[str, float]:
        """Cycles per element of a change to either width."""
        layers = _simulated(_there_and_back(), (np.zeros(_CONVERTED),), self.target)
        return {dtype: layers[dtype] / _CONVERTED for dtype in ("int8", "int16")}


def _simulated(graph: Graph, inputs: Arrays, target: Target) -> Mapping[str, int]:
    profile, _, _ = built_and_simulated(graph, inputs, target)
    if profile is None:
        hint = "static_wi8_ai8, static_wi8_ai16, or a microcontroller and the extra 'simulate'"
        raise ConfigError(f"cycles of {target.name} are not simulated", where="static_wi8_mixed", hint=hint)
    return {layer["name"]: layer["cycles"] for layer in profile["layers"]}


def _there_and_back() -> Graph:
    """From 8 bits to 16 and back; each change bears the name of the width it gives."""
    shape = TensorType((1, _CONVERTED), "float32")
    kinds: tuple[tuple[str, DType, float], ...] = ("x", "int8", 2**-7), ("y", "int16", 2**-15), ("z", "int8", 2**-7)
    narrow, wide, back = (Value(name, shape.with_quant(dtype, QuantParams((scale,)))) for name, dtype, scale in kinds)
    nodes = Node("int16", Quantize(), (narrow,), (wide,)), Node("int8", Quantize(), (wide,), (back,))
    return Graph("conversion", (narrow,), (back,), nodes, {})


def _widths(node: Node) -> list[str]:
    return [value.type.dtype for value in (*node.inputs, *node.outputs)]


def _answers(graph: Graph, inputs: Iterable[Arrays]) -> Array:
    """Real answers to consecutive inputs, end to end."""
    state, answers = initial_state(graph), []
    for sample in inputs:
        given = [x if v.type.is_float else _stored(x, v.type) for x, v in zip(sample, graph.inputs, strict=True)]
        results = zip(execute(graph, given, state), graph.outputs, strict=True)
        answers += [x if v.type.is_float else dequantize(x, v.type.scale, v.type.zero_point) for x, v in results]
    return np.concatenate([np.ravel(answer) for answer in answers])


def _stored(x: Array, kind: TensorType) -> Array:
    return quantize(x, kind.scale, kind.zero_point, kind.dtype)
