"""The ops: one class per op with its meaning, quantization, cost and output forms."""

from edgetx.ops.abs import Abs
from edgetx.ops.add import Add
from edgetx.ops.arg_max import ArgMax
from edgetx.ops.atan import Atan
from edgetx.ops.attention import Attention
from edgetx.ops.average_pool_2d import AveragePool2D
from edgetx.ops.batch_matmul import BatchMatmul
from edgetx.ops.clip import Clip
from edgetx.ops.concatenation import Concatenation
from edgetx.ops.conv_2d import Conv2D
from edgetx.ops.depthwise_conv_2d import DepthwiseConv2D
from edgetx.ops.elu import Elu
from edgetx.ops.erf import Erf
from edgetx.ops.exp import Exp
from edgetx.ops.floor import Floor
from edgetx.ops.fully_connected import FullyConnected
from edgetx.ops.gather import Gather
from edgetx.ops.gelu import Gelu
from edgetx.ops.hard_swish import HardSwish
from edgetx.ops.hypot import Hypot
from edgetx.ops.l2_normalization import L2Normalization
from edgetx.ops.layer_norm import LayerNorm
from edgetx.ops.leaky_relu import LeakyRelu
from edgetx.ops.lif import Lif
from edgetx.ops.linear_recurrence import LinearRecurrence
from edgetx.ops.lmu import Lmu
from edgetx.ops.log import Log
from edgetx.ops.logistic import Logistic
from edgetx.ops.lookup import Lookup
from edgetx.ops.lstm_cell import LstmCell
from edgetx.ops.max_pool_2d import MaxPool2D
from edgetx.ops.maximum import Maximum
from edgetx.ops.mean import Mean
from edgetx.ops.minimum import Minimum
from edgetx.ops.mul import Mul
from edgetx.ops.neg import Neg
from edgetx.ops.op import REGISTRY, Cost, KernelCall, OnnxBuilder, Op, TfliteBuilder
from edgetx.ops.pad import Pad
from edgetx.ops.power import Power
from edgetx.ops.quantize import Quantize
from edgetx.ops.reduce_max import ReduceMax
from edgetx.ops.relu import Relu
from edgetx.ops.relu6 import Relu6
from edgetx.ops.reshape import Reshape
from edgetx.ops.resize_bilinear import ResizeBilinear
from edgetx.ops.rms_norm import RmsNorm
from edgetx.ops.round import Round
from edgetx.ops.rsqrt import Rsqrt
from edgetx.ops.shift_in import ShiftIn
from edgetx.ops.silu import Silu
from edgetx.ops.sin import Sin
from edgetx.ops.softmax import Softmax
from edgetx.ops.softplus import Softplus
from edgetx.ops.sqrt import Sqrt
from edgetx.ops.square import Square
from edgetx.ops.step import Step
from edgetx.ops.strided_slice import StridedSlice
from edgetx.ops.sub import Sub
from edgetx.ops.table_softmax import TableSoftmax
from edgetx.ops.tanh import Tanh
from edgetx.ops.transpose import Transpose
from edgetx.ops.wide_exp import WideExp
from edgetx.ops.wide_softmax import WideSoftmax

__all__ = [
    "REGISTRY",
    "Abs",
    "Add",
    "ArgMax",
    "Atan",
    "Attention",
    "AveragePool2D",
    "BatchMatmul",
    "Clip",
    "Concatenation",
    "Conv2D",
    "Cost",
    "DepthwiseConv2D",
    "Elu",
    "Erf",
    "Exp",
    "Floor",
    "FullyConnected",
    "Gather",
    "Gelu",
    "HardSwish",
    "Hypot",
    "KernelCall",
    "L2Normalization",
    "LayerNorm",
    "LeakyRelu",
    "Lif",
    "LinearRecurrence",
    "Lmu",
    "Log",
    "Logistic",
    "Lookup",
    "LstmCell",
    "MaxPool2D",
    "Maximum",
    "Mean",
    "Minimum",
    "Mul",
    "Neg",
    "OnnxBuilder",
    "Op",
    "Pad",
    "Power",
    "Quantize",
    "ReduceMax",
    "Relu",
    "Relu6",
    "Reshape",
    "ResizeBilinear",
    "RmsNorm",
    "Round",
    "Rsqrt",
    "ShiftIn",
    "Silu",
    "Sin",
    "Softmax",
    "Softplus",
    "Sqrt",
    "Square",
    "Step",
    "StridedSlice",
    "Sub",
    "TableSoftmax",
    "Tanh",
    "TfliteBuilder",
    "Transpose",
    "WideExp",
    "WideSoftmax",
]
