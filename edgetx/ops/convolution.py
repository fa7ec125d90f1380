"""Base of the convolutions."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from edgetx.errors import UnsupportedOpError
from edgetx.ir import Array, Arrays, Node, Value
from edgetx.ops.activation import Activation, apply_activation, onnx_activation
from edgetx.ops.multiplier import output_multipliers, rescale, rescale_params
from edgetx.ops.op import KERNEL_SUFFIX, KernelCall, OnnxBuilder, Op, TfliteBuilder
from edgetx.ops.quant_rule import Bias
from edgetx.ops.window import NO_PADS, Padding, Pads, Pair, Window


@dataclass(frozen=True)
class Convolution(Op):
    """A weighted sum over windows, plus a bias; `around` are zeros around the image before `padding` adds its own."""

    activation_bits: ClassVar[frozenset[int]] = frozenset({8, 16})

    stride: Pair = (1, 1)
    dilation: Pair = (1, 1)
    padding: Padding = "valid"
    activation: Activation = "none"
    around: Pads = NO_PADS

    @abstractmethod
    def accumulate(self, patches: Array, weight: Array) -> Array:
        """The weighted sums over `patches` [1, rows, columns, C, height, width]."""

    def window(self, weight: tuple[int, ...]) -> Window:
        """The window for a weight of that shape, whose axes 1 and 2 are height and width."""
        return Window((weight[1], weight[2]), self.stride, self.dilation, self.padding, self.around)

    def float_ref(self, *inputs: Array) -> Arrays:
        x, w, *bias = inputs
        y = self.accumulate(self.window(w.shape).patches(x), w)
        return (apply_activation(y + bias[0] if bias else y, self.activation),)

    def int_ref(self, node: Node, *inputs: Array) -> Arrays:
        x, w, *bias = inputs
        patches = self.window(w.shape).patches(x.astype(np.float64) - node.inputs[0].type.zero_point)
        acc = self.accumulate(patches, w.astype(np.float64)).astype(np.int64)  # doubles hold every sum exactly
        acc = acc + bias[0] if bias else acc
        return (rescale(node, acc, output_multipliers(node), self.activation),)

    def tflite_options(self) -> dict[str, object]:
        """What the options tables of both convolutions hold.

        Raises:
            UnsupportedOpError: For zeros around the image, which are an operator of their own there.
        """
        if self.around != NO_PADS:
            raise UnsupportedOpError(f"{self.name} with zeros around its image, in TFLite")
        return {
            "Padding": self.padding,
            "StrideH": self.stride[0],
            "StrideW": self.stride[1],
            "DilationHFactor": self.dilation[0],
            "DilationWFactor": self.dilation[1],
            "FusedActivationFunction": self.activation,
        }

    def tflite_operands(self, node: Node, b: TfliteBuilder) -> list[Value]:
        """The operands, with a bias of zeros where there is none: LiteRT wants one."""
        x, w, *bias = node.inputs
        if bias:
            return list(node.inputs)
        zeros, quant = Bias().quantize(np.zeros(node.output.shape[-1]), [x.type, w.type], x.type)
        return [x, w, b.const(zeros, f"{node.name}.bias", quant)]

    def onnx_conv(self, node: Node, b: OnnxBuilder, weight: str, groups: int) -> None:
        """The ONNX form, which is channels-first; `weight` is [out, C / groups, height, width]."""
        x, w, *bias = node.inputs
        (top, bottom), (left, right) = self.window(w.shape).pads(x.type)
        attributes = {
            "strides": self.stride,
            "dilations": self.dilation,
            "pads": [top, left, bottom, right],
            "group": groups,
        }
        image = b.op("Transpose", [b.real(x)], {"perm": [0, 3, 1, 2]})
        y = b.op("Conv", [image, weight, *map(b.real, bias)], attributes)
        b.result(node, onnx_activation(b, b.op("Transpose", [y], {"perm": [0, 2, 3, 1]}), self.activation))

    def to_c(self, node: Node) -> KernelCall:
        x, w, *bias = node.inputs
        channels = node.output.shape[-1]
        mantissas, shifts = (np.broadcast_to(array, channels) for array in output_multipliers(node))
        params = {
            **self.window(w.shape).params(x.type, node.output.type),
            "dilation_height": self.dilation[0],
            "dilation_width": self.dilation[1],
            "input_offset": -x.type.zero_point,
            **rescale_params(node, self.activation),
        }
        wide = np.int64 if x.type.dtype == "int16" else np.int32
        b = bias[0] if bias else np.zeros(channels, wide)
        kernel = f"{self.name}_{KERNEL_SUFFIX[x.type.dtype]}"
        return KernelCall(kernel, params, (x, w, b, mantissas, shifts), "convolution")
