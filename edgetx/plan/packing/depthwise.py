"""Filters of depthwise convolutions."""

from dataclasses import replace

import numpy as np

from edgetx.ops import KernelCall
from edgetx.plan.packing.tables import SUM_LIMIT, Data, integer, padded, rescaling_table, round_up


def pack_depthwise_3x3(call: KernelCall, data: Data) -> list[KernelCall]:
    """Windows of 3 × 3 without steps; the scratch buffer holds four channels, two pixels in a word."""
    p = {field: integer(value) for field, value in call.params.items()}
    w, bias, mantissas, shifts = data[1:5]
    steps = (p["stride_height"], p["stride_width"], p["dilation_height"], p["dilation_width"])
    if (p["window_height"], p["window_width"]) != (3, 3) or steps != (1, 1, 1, 1):
        return []
    if p["out_channels"] != p["in_channels"] or w is None or bias is None or mantissas is None or shifts is None:
        return []
    rescaling = rescaling_table(mantissas.astype(np.int64), shifts.astype(np.int64), p["output_offset"])
    folded = bias + p["input_offset"] * w.astype(np.int64).sum((0, 1, 2))
    if rescaling is None or np.abs(folded).max() + 128 * 128 * 9 >= SUM_LIMIT:
        return []
    words = (p["out_height"] + 3) // 2 * (p["out_width"] + 2)
    form = replace(
        call,
        kernel="depthwise_conv_2d_3x3_s8",
        operands=(call.operands[0], call.operands[1], folded.astype(np.int32), rescaling),
        scratch_bytes=4 * 4 * words,
        in_place=0,
    )
    return [form]


def pack_depthwise(call: KernelCall, data: Data) -> list[KernelCall]:
    """Windows of any kind, with multipliers that shift to the right."""
    w, bias, mantissas, shifts = data[1:5]
    if call.params["out_channels"] != call.params["in_channels"]:
        return []
    if w is None or bias is None or mantissas is None or shifts is None:
        return []
    channels = round_up(len(bias))
    zero_point = integer(call.params["output_offset"])
    rescaling = rescaling_table(padded(mantissas, channels), padded(shifts, channels), zero_point)
    largest = np.abs(bias.astype(np.int64)) + 255 * np.abs(w.astype(np.int64)).sum((0, 1, 2))
    if rescaling is None or largest.max() >= SUM_LIMIT:
        return []
    return [
        replace(
            call,
            kernel="depthwise_conv_2d_packed_s8",
            params_type="convolution",
            operands=(call.operands[0], call.operands[1], padded(bias, channels).astype(np.int32), rescaling),
        )
    ]
