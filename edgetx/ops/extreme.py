"""Base of the larger and the smaller of two operands."""

from dataclasses import dataclass, replace

from edgetx.ir import Array, Arrays, Node
from edgetx.ops.elementwise import Elementwise
from edgetx.ops.op import KernelCall, TfliteBuilder
from edgetx.ops.quant_rule import QuantRule


@dataclass(frozen=True)
class Extreme(Elementwise):
    """One of two elements, which are quantized alike."""

    def int_ref(self, node: Node, *inputs: Array) -> Arrays:
        return (self.function(*inputs),)

    def quant_rule(self) -> QuantRule:
        return QuantRule(shared=True)

    def kernel(self, node: Node) -> tuple[str, dict[str, int]]:
        return self.name, {}

    def to_c(self, node: Node) -> KernelCall:
        call = super().to_c(node)
        loops = {field: call.params[field] for field in ("dims", "a_steps", "b_steps")}
        return replace(call, params=loops, params_type="extreme")

    def to_tflite(self, node: Node, b: TfliteBuilder) -> None:
        b.op(node, self.name.upper())
