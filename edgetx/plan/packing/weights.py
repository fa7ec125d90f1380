"""Weights of fully connected layers and convolutions."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from edgetx.fixedpoint import wrap_int32
from edgetx.ir import Array
from edgetx.ops import KernelCall
from edgetx.plan.packing.tables import (
    COPIED_ROWS,
    LANES,
    SUM_LIMIT,
    Data,
    Words,
    integer,
    padded,
    rescaling_table,
    round_up,
)

COPIED_BYTES = 8192
COPIED_OUTPUTS = 8
"""Weights are copied into RAM no more at a time than so many bytes and no fewer than those of so many outputs."""
BYTE_ORDER = (0, 2, 1, 3)
"""The order in which the bytes of a word are extended to pairs of 16 bits."""


class Weights(NamedTuple):
    """Blocks of packed weights, of how many outputs, and for which kernels: `packed`, or `raised` if one is -128."""

    blocks: Words
    outputs: int
    kind: str

    def copies(self, rows: int) -> Iterator[tuple[str, int]]:
        """Ways to copy weights next to the core, of how many outputs at a time; the most first, at last none."""
        block_bytes = self.blocks[0].nbytes
        parts = 1
        while rows >= COPIED_ROWS:
            blocks = -(-len(self.blocks) // parts)
            at_once = min(LANES * blocks, self.outputs)
            if parts > 1 and at_once < COPIED_OUTPUTS:
                break
            if blocks * block_bytes <= COPIED_BYTES:
                yield f"copy/{parts}", at_once
            parts *= 2
        yield "", 0

    def table(self, at_once: int) -> Words:
        """What kernels read."""
        return np.concatenate([[at_once], self.blocks.ravel()]).astype(np.int32)

    def copy_bytes(self, at_once: int) -> int:
        """Size of the copy."""
        return -(-at_once // LANES) * int(self.blocks[0].nbytes)


def pack_fully_connected(call: KernelCall, data: Data) -> list[KernelCall]:
    """Weights of four outputs side by side; the scratch buffer holds two rows in 16 bits, and copies of weights."""
    w = data[1]
    packed = None if w is None else packed_weight(call, w, data)
    if w is None or packed is None:
        return []
    once = "once_" if call.kernel == "fully_connected_once_s8" else ""
    return [
        replace(
            call,
            kernel=f"fully_connected_{once}{packed.kind}_s8",
            params_type="fully_connected",
            operands=(call.operands[0], packed.table(at_once)),
            scratch_bytes=4 * round_up(w.shape[1]) + packed.copy_bytes(at_once),
            # where both have as many features rows are expanded before their results are stored, but only once
            in_place=0 if at_once in (0, packed.outputs) else None,
            variant=variant,
        )
        for variant, at_once in packed.copies(integer(call.params["rows"]))
    ]


def pack_pointwise(call: KernelCall, data: Data) -> list[KernelCall]:
    """A convolution by single pixels is a fully connected layer."""
    if not is_pointwise(call):
        return []
    w = data[1]
    flat = None if w is None else w.reshape(len(w), -1)
    return pack_fully_connected(replace(call, params=rows_of_pixels(call)), [data[0], flat, *data[2:]])


def pack_conv_2d(call: KernelCall, data: Data) -> list[KernelCall]:
    """The same, rows of windows filled up to words; the scratch buffer also holds two windows in 8 bits."""
    w = data[1]
    if w is None:
        return []
    rows = w.reshape(*w.shape[:2], -1)
    rows = np.pad(rows, ((0, 0), (0, 0), (0, -rows.shape[2] % LANES)))
    packed = packed_weight(call, rows.reshape(len(w), -1), data)
    if packed is None:
        return []
    return [
        replace(
            call,
            kernel=f"conv_2d_{packed.kind}_s8",
            params_type="convolution",
            operands=(call.operands[0], packed.table(at_once)),
            scratch_bytes=6 * rows[0].size + packed.copy_bytes(at_once),
            variant=variant,
        )
        for variant, at_once in packed.copies(integer(call.params["out_height"]) * integer(call.params["out_width"]))
    ]


def pack_single_channel(call: KernelCall, data: Data) -> list[KernelCall]:
    """Many results of a single channel are an ordinary convolution."""
    w = data[1]
    if call.params["in_channels"] != 1 or w is None:
        return []
    filters = w.transpose(3, 1, 2, 0)
    return pack_conv_2d(call, [data[0], filters, *data[2:]])


def packed_weight(call: KernelCall, weight: Array, data: Data) -> Weights | None:
    """What `etx_packed_matmul.h` reads for a weight [outputs, inputs]; None if a sum or a shift is too large."""
    if data[2] is None or data[3] is None or data[4] is None:
        return None
    outputs, inputs = (round_up(size) for size in weight.shape)
    w = padded(weight, outputs, inputs)
    bias, mantissas, shifts = (padded(array, outputs) for array in data[2:] if array is not None)
    bias = bias + integer(call.params["input_offset"]) * w.sum(1)
    rescaling = rescaling_table(mantissas, shifts, integer(call.params["output_offset"]))
    if rescaling is None or (np.abs(bias) + 128 * np.abs(w).sum(1)).max() >= SUM_LIMIT:
        return None
    raise_by, kind = (128, "raised") if w.min() < -127 else (0, "packed")
    lanes = (w[::2] + raise_by + 256 * w[1::2]).reshape(outputs // 2, -1, LANES)[:, :, BYTE_ORDER]
    words = (lanes[:, :, ::2] & 0xFFFF | lanes[:, :, 1::2] << 16).reshape(outputs // LANES, 2, -1)
    starts = np.stack([bias[::2], bias[::2] + 256 * bias[1::2]], 1)
    blocks = [part.reshape(outputs // LANES, -1) for part in (starts, words.swapaxes(1, 2), rescaling)]
    return Weights(wrap_int32(np.hstack(blocks)).astype(np.int32), len(weight), kind)


def is_pointwise(call: KernelCall) -> bool:
    """Whether a convolution is one by single pixels."""
    return all(call.params[f"{kind}_{axis}"] == 1 for kind in ("window", "stride") for axis in ("height", "width"))


def rows_of_pixels(call: KernelCall) -> dict[str, int | Sequence[int]]:
    """A convolution by single pixels as parameters of a fully connected layer."""
    p = call.params
    return {
        "rows": integer(p["out_height"]) * integer(p["out_width"]),
        "in_features": p["in_channels"],
        "out_features": p["out_channels"],
        **{field: p[field] for field in ("input_offset", "output_offset", "low", "high")},
    }
