"""What an op is: its meaning, shape rule, quantization rule, cost, and how each output form writes it."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol, TypeVar

from edgetx.errors import UnsupportedOpError
from edgetx.ir import Array, Arrays, DType, Node, QuantParams, TensorType, Value
from edgetx.ops.quant_rule import CALIBRATED, QuantRule

KERNEL_SUFFIX: dict[DType, str] = {"int8": "s8", "int16": "s16", "int32": "s32", "uint8": "u8"}
"""Element types as kernel names spell them."""


@dataclass(frozen=True)
class Cost:
    """What one application of an op costs, independent of the core.

    Attributes:
        macs: Multiply-accumulates.
        elementwise: Simple per-element operations (adds, compares, table look-ups, requantizations).
    """

    macs: int = 0
    elementwise: int = 0


@dataclass(frozen=True)
class KernelCall:
    """A call of a C kernel: `etx_NAME(&params, operands…, results…[, scratch])`.

    Attributes:
        kernel: Kernel name without the `etx_` prefix; `kernels/<kernel>.c` holds it.
        params: Fields of the kernel's parameter struct, `etx_<params_type>_params`.
        operands: What is passed as const pointers: values of the graph, or tables computed at compile time.
        params_type: Name of the parameter struct; the kernel's name without its element type by default.
        scratch_bytes: Size of a working buffer the kernel needs while it runs.
        in_place: Index of the operand whose memory the result may take over, if any.
        variadic: Whether the operands are passed as one array of `const void *`.
        staged: Index of a constant operand that is copied into the arena first, because it is read many times.
        variant: Which of the forms of one kernel it is, where they differ in what they keep in memory.
    """

    kernel: str
    params: Mapping[str, int | Sequence[int]]
    operands: tuple[Value | Array, ...]
    params_type: str = ""
    scratch_bytes: int = 0
    in_place: int | None = None
    variadic: bool = False
    staged: int | None = None
    variant: str = ""

    @property
    def form(self) -> str:
        """Name of the kernel, and of the variant if it has any."""
        return f"{self.kernel}:{self.variant}" if self.variant else self.kernel

    @property
    def struct(self) -> str:
        """C type of the parameters."""
        return f"etx_{self.params_type or self.kernel.rsplit('_', 1)[0]}_params"


class TfliteBuilder(Protocol):
    """What an op may ask of the TFLite backend."""

    def op(
        self,
        node: Node,
        builtin: str,
        inputs: Sequence[Value] | None = None,
        options: Mapping[str, object] | None = None,
        outputs: Sequence[Value] | None = None,
    ) -> None:
        """Write a built-in operator.

        Args:
            node: The node being written.
            builtin: Name in the schema's BuiltinOperator enumeration.
            inputs: Operands, if not those of the node.
            options: Fields of the operator's options table, in the schema's spelling.
            outputs: Results, if not those of the node.
        """

    def const(self, data: Array, name: str, quant: QuantParams | None = None) -> Value:
        """A constant operand that the graph does not hold (axes, shapes, paddings, tables)."""

    def data(self, value: Value, /) -> Array | None:
        """Contents of a constant operand; None for what is computed."""

    def temporary(self, tensor_type: TensorType, name: str, /) -> Value:
        """A tensor between two of the built-ins that make up one node."""


ScanStep = Callable[[list[str], list[str]], tuple[list[str], list[str]]]


class OnnxBuilder(Protocol):
    """What an op may ask of the ONNX backend; tensors are real numbers between QuantizeLinear and DequantizeLinear."""

    def op(self, op_type: str, inputs: Sequence[str], attributes: Mapping[str, object] | None = None) -> str:
        """Write a node with one result and return the name of the result."""

    def real(self, value: Value) -> str:
        """Name of the real-valued (dequantized) form of an operand."""

    def const(self, data: Array) -> str:
        """Name of a new initializer."""

    def result(self, node: Node, *names: str) -> None:
        """Say which real-valued tensors are the results of `node`; the builder quantizes them."""

    def integers(self, value: Value, /) -> str:
        """Name of the stored integers of an operand less their zero point, in double precision."""

    def real_of(self, integers: str, tensor: TensorType, /) -> str:
        """The real-valued form of integers in double precision, less the zero point of their type."""

    def scan(
        self, step: ScanStep, states: Sequence[str], slices: Sequence[str], shape: Sequence[int], /
    ) -> tuple[list[str], list[str]]:
        """Write a loop over the second axis, in double precision.

        Args:
            step: Writes one step: from the names of states and slices, those of new states and of results.
            states: First states.
            slices: What each step takes a slice of, without that axis.
            shape: Shape of the states, and of the results of a step.

        Returns:
            The states after the last step, and the results of all steps, stacked along the second axis.
        """


@dataclass(frozen=True)
class Op(ABC):
    """Base of all ops. Attributes are the fields of the subclasses."""

    name: ClassVar[str]
    """Canonical name."""
    activation_bits: ClassVar[frozenset[int]] = frozenset({8})
    """Widths of activations for which there is integer arithmetic."""
    wide: ClassVar[bool] = False
    """Whether small operands matter as much as large ones: all that they are computed from is kept in 16 bits."""
    is_view: ClassVar[bool] = False
    """Whether the result is the operand's bytes under another shape."""

    @abstractmethod
    def infer(self, *inputs: TensorType) -> tuple[TensorType, ...]:
        """Types of the results.

        Raises:
            ModelError: If the operands do not fit.
        """

    @abstractmethod
    def float_ref(self, *inputs: Array) -> Arrays:
        """The results in floating point."""

    @abstractmethod
    def int_ref(self, node: Node, *inputs: Array) -> Arrays:
        """The results in the integer arithmetic that every backend must reproduce bit for bit."""

    @abstractmethod
    def cost(self, node: Node) -> Cost:
        """Work of one application."""

    def quant_rule(self) -> QuantRule:
        """How operands and results are quantized; calibrated by default."""
        return CALIBRATED

    def to_tflite(self, node: Node, b: TfliteBuilder) -> None:
        """Write the node as TFLite built-ins."""
        raise self.unsupported(node, "TFLite")

    def to_onnx(self, node: Node, b: OnnxBuilder) -> None:
        """Write the node as ONNX operators on real values."""
        raise self.unsupported(node, "ONNX")

    def to_c(self, node: Node) -> KernelCall:
        """The C kernel that carries out the node."""
        raise self.unsupported(node, "C")

    @classmethod
    def has_form(cls, form: Literal["tflite", "onnx", "c"], /) -> bool:
        """Whether the op can be written in that output form; a view needs no code in C."""
        method = f"to_{form}"
        return getattr(cls, method) is not getattr(Op, method) or (form == "c" and cls.is_view)

    def unsupported(self, node: Node, form: str) -> UnsupportedOpError:
        """The error for a backend that has no form of this op."""
        return UnsupportedOpError(
            f"op '{self.name}' has no {form} form",
            where=node.name,
            hint="`edgetx list ops` shows what each output form supports",
        )


OpT = TypeVar("OpT", bound=Op)


class Registry(dict[str, type[Op]]):
    """All op classes by name."""

    def add(self, cls: type[OpT]) -> type[OpT]:
        """Register an op class; refuses a second one of the same name and one that is still abstract."""
        if cls.name in self:
            raise TypeError(f"op '{cls.name}' is registered twice")
        if missing := cls.__abstractmethods__:
            raise TypeError(f"op '{cls.name}' lacks {', '.join(sorted(missing))}")
        self[cls.name] = cls
        return cls


REGISTRY = Registry()
register = REGISTRY.add
