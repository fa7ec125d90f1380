"""Constant operands rearranged at compile time for kernels that read them faster.

A packed form of a kernel call is another call with the same result: its kernel has a name, a prototype and operands of
its own, and lies in the folders of the cores that gain by it. A form that cannot keep the bits is not offered.
"""

from collections.abc import Iterator, Mapping, Sequence

from edgetx.ops import KernelCall
from edgetx.plan.packing.computed import (
    look_up_extreme,
    narrow_add,
    narrow_mul,
    pack_layer_norm,
    pack_softmax,
    pair_attention,
    pair_batch_matmul,
)
from edgetx.plan.packing.depthwise import pack_depthwise, pack_depthwise_3x3
from edgetx.plan.packing.tables import Data, Packer
from edgetx.plan.packing.weights import pack_conv_2d, pack_fully_connected, pack_pointwise, pack_single_channel
from edgetx.plan.packing.words import pack_dot, pack_wide

PACKERS: Mapping[str, Sequence[Packer]] = {
    "add_s8": (narrow_add,),
    "attention_s8": (pair_attention,),
    "batch_matmul_s8": (pair_batch_matmul,),
    "fully_connected_s8": (pack_fully_connected, pack_dot),
    "fully_connected_once_s8": (pack_fully_connected,),
    "conv_2d_s8": (pack_pointwise, pack_conv_2d, pack_dot),
    "fully_connected_s16": (pack_wide,),
    "conv_2d_s16": (pack_wide,),
    "layer_norm_s8": (pack_layer_norm,),
    "maximum_s8": (look_up_extreme,),
    "minimum_s8": (look_up_extreme,),
    "mul_s8": (narrow_mul,),
    "softmax_table_s8": (pack_softmax,),
    "depthwise_conv_2d_s8": (pack_single_channel, pack_depthwise_3x3, pack_depthwise),
}
"""Packed forms of each portable kernel, the best first."""


def packed_forms(call: KernelCall, data: Data) -> Iterator[KernelCall]:
    """The packed forms of a call: the best first, of equal kernels the one with the largest scratch buffer."""
    return (form for pack in PACKERS.get(call.kernel, ()) for form in pack(call, data))
