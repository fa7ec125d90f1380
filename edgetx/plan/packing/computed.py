"""Kernels without weights, whose other forms hang on their parameters or on tables."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from edgetx.fixedpoint import wrap_int32
from edgetx.ops import KernelCall
from edgetx.plan.packing.tables import COPIED_ROWS, LANES, SHIFT_LIMIT, Data, integer, padded, round_up

PAIRED_ROWS = 4
PAIRED_DEPTH = 1 << 14
"""Products of computed matrices are paired for so many rows, and sums of 31 bits."""
POWERS = 256
"""Differences of two bytes."""


def pair_attention(call: KernelCall, data: Data) -> list[KernelCall]:
    """Two rows of queries at a time; scratch holds both, their scores, and copies of values: all, half or none."""
    p = {name: integer(value) for name, value in call.params.items()}
    if min(p.pop("look_back"), p.pop("look_ahead")) < p["key_length"]:
        return []
    del p["first"]
    width, pairs = round_up(p["head_size"]), (p["key_length"] + 1) // 2
    half = width // 2 // LANES * LANES  # four columns more are always rearranged
    return [
        replace(
            call,
            kernel="attention_pairs_s8",
            params={**p, "copied_columns": columns},
            scratch_bytes=4 * width + (16 + 2 * min(columns + LANES, width)) * pairs,
            variant=f"columns/{columns}",
        )
        for columns in ((width, half, 0) if half > LANES else (width, 0))
    ]


def pair_batch_matmul(call: KernelCall, data: Data) -> list[KernelCall]:
    """Two columns at a time in the scratch buffer, in 16 bits; not worth it for a few rows."""
    p = call.params
    steps, depth = p["a_steps"], integer(p["depth"])
    assert isinstance(steps, Sequence)
    shifts_right = 1 <= -integer(p["shift"]) <= SHIFT_LIMIT
    is_whole = (p["low"], p["high"]) == (-128, 127)
    if steps[2] != 1 or integer(p["rows"]) < PAIRED_ROWS or not (shifts_right and is_whole) or depth >= PAIRED_DEPTH:
        return []
    return [
        replace(
            call,
            kernel="batch_matmul_pairs_s8",
            params_type="batch_matmul",
            scratch_bytes=4 * round_up(depth),
        )
    ]


def pack_layer_norm(call: KernelCall, data: Data) -> list[KernelCall]:
    """Gamma and beta of four outputs side by side, beta with the zero point and what rounds."""
    gamma, beta = data[1], data[2]
    if gamma is None or beta is None:
        return []
    width, shift = round_up(len(gamma)), integer(call.params["output_shift"])
    rest = (integer(call.params["output_offset"]) << shift) + (1 << shift >> 1)
    gains, starts = (padded(array, width).reshape(-1, 2, 2) for array in (gamma, beta))
    if np.abs(beta.astype(np.int64)).max() + abs(rest) >= 1 << 30:
        return []
    pairs = gains[:, :, :1] & 0xFFFF | gains[:, :, 1:] << 16
    table = wrap_int32(np.concatenate([pairs, starts + rest], 2)).astype(np.int32).ravel()
    copies = (1, 0) if integer(call.params["rows"]) >= COPIED_ROWS else (0,)
    return [
        replace(
            call,
            kernel="layer_norm_packed_s8",
            params_type="layer_norm",
            operands=(call.operands[0], np.concatenate([[copied], table]).astype(np.int32)),
            scratch_bytes=max(copied * table.nbytes, 4),
            variant="copy/1" if copied else "",
        )
        for copied in copies
    ]


def pack_softmax(call: KernelCall, data: Data) -> list[KernelCall]:
    """A power for every difference of two bytes, next to the core or where it lies."""
    powers = data[1]
    assert powers is not None
    table = np.pad(powers, (0, POWERS - len(powers)))
    form = replace(call, kernel="softmax_packed_s8", operands=(call.operands[0], table), params_type="softmax_table")
    return [replace(form, staged=1, variant="copy/1"), form]


def look_up_extreme(call: KernelCall, data: Data) -> list[KernelCall]:
    """Compared with one number, every byte has one result."""
    numbers = [operand for operand in data if operand is not None]
    if len(numbers) != 1 or numbers[0].size != 1:
        return []
    compare = np.maximum if call.kernel == "maximum_s8" else np.minimum
    table = compare(np.arange(-128, 128), numbers[0].item()).astype(np.int8)
    dims = call.params["dims"]
    assert isinstance(dims, Sequence)
    (operand,) = (operand for operand, known in zip(call.operands, data, strict=True) if known is None)
    form = replace(call, kernel="lut_s8", params={"size": math.prod(dims)}, params_type="lut", in_place=0)
    return [replace(form, operands=(operand, table))]


def narrow_add(call: KernelCall, data: Data) -> list[KernelCall]:
    """Not packed at all, but the multipliers shift to the right, as they do unless scales are absurd."""
    narrow = all(integer(call.params[f"{operand}shift"]) <= 0 for operand in ("a_", "b_", ""))
    return [replace(call, kernel="add_narrow_s8", params_type="add")] if narrow else []


def narrow_mul(call: KernelCall, data: Data) -> list[KernelCall]:
    """Nor is this: its multiplier shifts to the right by not too much."""
    shifts_right = 1 <= -integer(call.params["shift"]) <= SHIFT_LIMIT
    return [replace(call, kernel="mul_narrow_s8", params_type="mul")] if shifts_right else []
