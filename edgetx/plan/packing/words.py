"""Weights of 16-bit activations, and for dot products of bytes."""

from dataclasses import replace

import numpy as np

from edgetx.fixedpoint import wrap_int32
from edgetx.ops import KernelCall
from edgetx.plan.packing.tables import LANES, Data, integer, padded, round_up
from edgetx.plan.packing.weights import BYTE_ORDER, is_pointwise, rows_of_pixels

WIDE_SUM_LIMIT = (1 << 16) - 1
"""Products of 16 bits with weights that add up to this fit into 32 bits."""
DOT_COLUMNS = 8
"""Outputs that kernels of dot products treat together."""
DOT_WINDOW = 2048
"""Largest window that they gather, in bytes."""


def pack_wide(call: KernelCall, data: Data) -> list[KernelCall]:
    """Weights of two outputs side by side for 16-bit activations; the scratch buffer holds two rows or windows."""
    w = data[1]
    if w is None:
        return []
    if call.kernel == "conv_2d_s16" and is_pointwise(call):
        call = replace(call, kernel="fully_connected_s16", params=rows_of_pixels(call), params_type="fully_connected")
    rows = w.reshape(len(w), w.shape[1] if w.ndim == 4 else 1, -1)
    rows = np.pad(rows, ((0, len(w) % 2), (0, 0), (0, -rows.shape[2] % LANES)))
    flat = rows.reshape(len(rows), -1)
    if np.abs(flat.astype(np.int64)).sum(1).max() > WIDE_SUM_LIMIT:
        return []
    words = np.ascontiguousarray(flat.reshape(len(flat), -1, LANES)[:, :, BYTE_ORDER]).view("<i4")
    packed = words.reshape(len(flat) // 2, 2, -1).swapaxes(1, 2)
    return [
        replace(
            call,
            kernel=call.kernel.replace("_s16", "_packed_s16"),
            params_type=call.params_type or "fully_connected",
            operands=(call.operands[0], np.ascontiguousarray(packed).astype(np.int32), *call.operands[2:]),
            scratch_bytes=4 * flat.shape[1],
            in_place=None,
        )
    ]


def pack_dot(call: KernelCall, data: Data) -> list[KernelCall]:
    """Weights of eight outputs side by side, four inputs of each in a word, for dot products of bytes."""
    w = data[1]
    if w is None or data[2] is None or data[3] is None or data[4] is None:
        return []
    flat = w.reshape(len(w), -1)
    if call.kernel == "conv_2d_s8" and is_pointwise(call):
        call = replace(call, kernel="fully_connected_s8", params=rows_of_pixels(call), params_type="fully_connected")
    elif call.kernel == "conv_2d_s8" and flat.shape[1] > DOT_WINDOW:
        return []
    outputs, inputs = -(-flat.shape[0] // DOT_COLUMNS), round_up(flat.shape[1])
    filled = padded(flat, outputs * DOT_COLUMNS, inputs).astype(np.int8)
    words = filled.view("<i4").reshape(outputs, DOT_COLUMNS, -1).swapaxes(1, 2)
    bias, mantissas, shifts = (padded(array, outputs * DOT_COLUMNS) for array in data[2:] if array is not None)
    bias = bias + integer(call.params["input_offset"]) * filled.sum(1, dtype=np.int64)
    header = [array.reshape(outputs, DOT_COLUMNS) for array in (bias, mantissas, shifts)]
    packed = wrap_int32(np.hstack([*header, words.reshape(outputs, -1).astype(np.int64)])).astype(np.int32)
    kernel = call.kernel.replace("_s8", "_dot_s8")
    params_type = call.params_type or call.kernel.removesuffix("_s8")
    return [replace(call, kernel=kernel, params_type=params_type, operands=(call.operands[0], packed), in_place=None)]
