"""Constant operands rearranged at compile time for kernels that read them faster.

A packed form of a kernel call is another call with the same result: its kernel has a name, a prototype and operands of
its own, and lies in the folders of the cores that gain by it. A form that cannot keep the bits is not offered.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from edgetx.fixedpoint import Int, wrap_int32
from edgetx.ir import Array
from edgetx.ops import KernelCall

Data = Sequence[Array | None]
"""Contents of the operands of a call; None for those computed at run time."""
Packer = Callable[[KernelCall, Data], Sequence[KernelCall]]
Words = npt.NDArray[np.int32]

LANES = 4
"""Outputs, and inputs, that the kernels treat together."""
SUM_LIMIT = 1 << 23
"""Two sums share an accumulator; one of them has its upper 24 bits."""
WIDE_SUM_LIMIT = (1 << 16) - 1
"""Products of 16 bits with weights that add up to this fit into 32 bits."""
SHIFT_LIMIT = 20
DOT_COLUMNS = 8
"""Outputs that kernels of dot products treat together."""
DOT_WINDOW = 2048
"""Largest window that they gather, in bytes."""
COPIED_ROWS = 8
COPIED_BYTES = 8192
COPIED_OUTPUTS = 8
"""Weights are copied into RAM if they are used for so many rows, no more at a time than so many bytes and no fewer than
those of so many outputs."""
PAIRED_ROWS = 4
PAIRED_DEPTH = 1 << 14
"""Products of computed matrices are paired for so many rows, and sums of 31 bits."""
POWERS = 256
"""Differences of two bytes."""
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


def packed_forms(call: KernelCall, data: Data) -> Iterator[KernelCall]:
    """The packed forms of a call: the best first, of equal kernels the one with the largest scratch buffer."""
    return (form for pack in PACKERS.get(call.kernel, ()) for form in pack(call, data))


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
            scratch_bytes=4 * _round_up(w.shape[1]) + packed.copy_bytes(at_once),
            # where both have as many features rows are expanded before their results are stored, but only once
            in_place=0 if at_once in (0, packed.outputs) else None,
            variant=variant,
        )
        for variant, at_once in packed.copies(_int(call.params["rows"]))
    ]


def pack_pointwise(call: KernelCall, data: Data) -> list[KernelCall]:
    """A convolution by single pixels is a fully connected layer."""
    if not _is_pointwise(call):
        return []
    w = data[1]
    flat = None if w is None else w.reshape(len(w), -1)
    return pack_fully_connected(replace(call, params=_rows_of_pixels(call)), [data[0], flat, *data[2:]])


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
        for variant, at_once in packed.copies(_int(call.params["out_height"]) * _int(call.params["out_width"]))
    ]


def pack_wide(call: KernelCall, data: Data) -> list[KernelCall]:
    """Weights of two outputs side by side for 16-bit activations; the scratch buffer holds two rows or windows."""
    w = data[1]
    if w is None:
        return []
    if call.kernel == "conv_2d_s16" and _is_pointwise(call):
        call = replace(call, kernel="fully_connected_s16", params=_rows_of_pixels(call), params_type="fully_connected")
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
    if call.kernel == "conv_2d_s8" and _is_pointwise(call):
        call = replace(call, kernel="fully_connected_s8", params=_rows_of_pixels(call), params_type="fully_connected")
    elif call.kernel == "conv_2d_s8" and flat.shape[1] > DOT_WINDOW:
        return []
    outputs, inputs = -(-flat.shape[0] // DOT_COLUMNS), _round_up(flat.shape[1])
    padded = _padded(flat, outputs * DOT_COLUMNS, inputs).astype(np.int8)
    words = padded.view("<i4").reshape(outputs, DOT_COLUMNS, -1).swapaxes(1, 2)
    bias, mantissas, shifts = (_padded(array, outputs * DOT_COLUMNS) for array in data[2:] if array is not None)
    bias = bias + _int(call.params["input_offset"]) * padded.sum(1, dtype=np.int64)
    header = [array.reshape(outputs, DOT_COLUMNS) for array in (bias, mantissas, shifts)]
    packed = wrap_int32(np.hstack([*header, words.reshape(outputs, -1).astype(np.int64)])).astype(np.int32)
    kernel = call.kernel.replace("_s8", "_dot_s8")
    params_type = call.params_type or call.kernel.removesuffix("_s8")
    return [replace(call, kernel=kernel, params_type=params_type, operands=(call.operands[0], packed), in_place=None)]


def pack_depthwise_3x3(call: KernelCall, data: Data) -> list[KernelCall]:
    """Windows of 3 × 3 without steps; the scratch buffer holds four channels, two pixels in a word."""
    p = {field: _int(value) for field, value in call.params.items()}
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


def pack_single_channel(call: KernelCall, data: Data) -> list[KernelCall]:
    """Many results of a single channel are an ordinary convolution."""
    w = data[1]
    if call.params["in_channels"] != 1 or w is None:
        return []
    filters = w.transpose(3, 1, 2, 0)
    return pack_conv_2d(call, [data[0], filters, *data[2:]])


def pack_depthwise(call: KernelCall, data: Data) -> list[KernelCall]:
    """Windows of any kind, with multipliers that shift to the right."""
    w, bias, mantissas, shifts = data[1:5]
    if call.params["out_channels"] != call.params["in_channels"]:
        return []
    if w is None or bias is None or mantissas is None or shifts is None:
        return []
    channels = _round_up(len(bias))
    zero_point = _int(call.params["output_offset"])
    rescaling = rescaling_table(_padded(mantissas, channels), _padded(shifts, channels), zero_point)
    if rescaling is None or (np.abs(bias) + 255 * np.abs(w.astype(np.int64)).sum((0, 1, 2))).max() >= SUM_LIMIT:
        return []
    return [
        replace(
            call,
            kernel="depthwise_conv_2d_packed_s8",
            params_type="convolution",
            operands=(call.operands[0], call.operands[1], _padded(bias, channels).astype(np.int32), rescaling),
        )
    ]


def pair_attention(call: KernelCall, data: Data) -> list[KernelCall]:
    """Two rows of queries at a time; scratch holds both, their scores, and values: of a head, or of four columns."""
    p = {name: _int(value) for name, value in call.params.items()}
    if min(p.pop("look_back"), p.pop("look_ahead")) < p["key_length"]:
        return []
    del p["first"]
    width, pairs = _round_up(p["head_size"]), (p["key_length"] + 1) // 2
    return [
        replace(
            call,
            kernel="attention_pairs_s8",
            params={**p, "copies_values": int(columns == width)},
            scratch_bytes=4 * width + (16 + 2 * columns) * pairs,
            variant=f"copy/{width // columns}",
        )
        for columns in sorted({width, LANES}, reverse=True)
    ]


def pair_batch_matmul(call: KernelCall, data: Data) -> list[KernelCall]:
    """Two columns at a time in the scratch buffer, in 16 bits; not worth it for a few rows."""
    p = call.params
    steps, depth = p["a_steps"], _int(p["depth"])
    assert isinstance(steps, Sequence)
    shifts_right = 1 <= -_int(p["shift"]) <= SHIFT_LIMIT
    is_whole = (p["low"], p["high"]) == (-128, 127)
    if steps[2] != 1 or _int(p["rows"]) < PAIRED_ROWS or not (shifts_right and is_whole) or depth >= PAIRED_DEPTH:
        return []
    return [
        replace(
            call,
            kernel="batch_matmul_pairs_s8",
            params_type="batch_matmul",
            scratch_bytes=4 * _round_up(depth),
        )
    ]


def pack_layer_norm(call: KernelCall, data: Data) -> list[KernelCall]:
    """Gamma and beta of four outputs side by side, beta with the zero point and what rounds."""
    gamma, beta = data[1], data[2]
    if gamma is None or beta is None:
        return []
    width, shift = _round_up(len(gamma)), _int(call.params["output_shift"])
    rest = (_int(call.params["output_offset"]) << shift) + (1 << shift >> 1)
    gains, starts = (_padded(array, width).reshape(-1, 2, 2) for array in (gamma, beta))
    if np.abs(beta.astype(np.int64)).max() + abs(rest) >= 1 << 30:
        return []
    pairs = gains[:, :, :1] & 0xFFFF | gains[:, :, 1:] << 16
    table = wrap_int32(np.concatenate([pairs, starts + rest], 2)).astype(np.int32).ravel()
    copies = (1, 0) if _int(call.params["rows"]) >= COPIED_ROWS else (0,)
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


def narrow_add(call: KernelCall, data: Data) -> list[KernelCall]:
    """Not packed at all, but the multipliers shift to the right, as they do unless scales are absurd."""
    narrow = all(_int(call.params[f"{operand}shift"]) <= 0 for operand in ("a_", "b_", ""))
    return [replace(call, kernel="add_narrow_s8", params_type="add")] if narrow else []


def narrow_mul(call: KernelCall, data: Data) -> list[KernelCall]:
    """Nor is this: its multiplier shifts to the right by not too much."""
    shifts_right = 1 <= -_int(call.params["shift"]) <= SHIFT_LIMIT
    return [replace(call, kernel="mul_narrow_s8", params_type="mul")] if shifts_right else []


def _is_pointwise(call: KernelCall) -> bool:
    return all(call.params[f"{kind}_{axis}"] == 1 for kind in ("window", "stride") for axis in ("height", "width"))


def _rows_of_pixels(call: KernelCall) -> dict[str, int | Sequence[int]]:
    """A convolution by single pixels as parameters of a fully connected layer."""
    p = call.params
    return {
        "rows": _int(p["out_height"]) * _int(p["out_width"]),
        "in_features": p["in_channels"],
        "out_features": p["out_channels"],
        **{field: p[field] for field in ("input_offset", "output_offset", "low", "high")},
    }


def packed_weight(call: KernelCall, weight: Array, data: Data) -> Weights | None:
    """What `etx_packed_matmul.h` reads for a weight [outputs, inputs]; None if a sum or a shift is too large."""
    if data[2] is None or data[3] is None or data[4] is None:
        return None
    outputs, inputs = (_round_up(size) for size in weight.shape)
    w = _padded(weight, outputs, inputs)
    bias, mantissas, shifts = (_padded(array, outputs) for array in data[2:] if array is not None)
    bias = bias + _int(call.params["input_offset"]) * w.sum(1)
    rescaling = rescaling_table(mantissas, shifts, _int(call.params["output_offset"]))
    if rescaling is None or (np.abs(bias) + 128 * np.abs(w).sum(1)).max() >= SUM_LIMIT:
        return None
    raise_by, kind = (128, "raised") if w.min() < -127 else (0, "packed")
    lanes = (w[::2] + raise_by + 256 * w[1::2]).reshape(outputs // 2, -1, LANES)[:, :, BYTE_ORDER]
    words = (lanes[:, :, ::2] & 0xFFFF | lanes[:, :, 1::2] << 16).reshape(outputs // LANES, 2, -1)
    starts = np.stack([bias[::2], bias[::2] + 256 * bias[1::2]], 1)
    blocks = [part.reshape(outputs // LANES, -1) for part in (starts, words.swapaxes(1, 2), rescaling)]
    return Weights(wrap_int32(np.hstack(blocks)).astype(np.int32), len(weight), kind)


def rescaling_table(mantissas: Int, shifts: Int, zero_point: int) -> Words | None:
    """What `etx_rescale.h` reads for each output; None if a multiplier shifts to the left or very far."""
    right = np.where(mantissas == 0, 1, -shifts)
    if right.min() < 1 or right.max() > SHIFT_LIMIT:
        return None
    return np.stack([mantissas, (1 << right - 1) + (zero_point << right), right], 1).astype(np.int32)


def _padded(array: Array, *shape: int) -> Int:
    """Zeros behind every axis."""
    return np.pad(array.astype(np.int64), [(0, size - had) for size, had in zip(shape, array.shape, strict=True)])


def _round_up(size: int) -> int:
    return -(-size // LANES) * LANES


def _int(value: int | Sequence[int]) -> int:
    assert isinstance(value, int)
    return value


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
    "mul_s8": (narrow_mul,),
    "softmax_table_s8": (pack_softmax,),
    "depthwise_conv_2d_s8": (pack_single_channel, pack_depthwise_3x3, pack_depthwise),
}
"""Packed forms of each portable kernel, the best first."""
