"""The sliding windows of convolution and pooling over [1, H, W, C]."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from edgetx.errors import ModelError
from edgetx.ir import Array, TensorType

Pair = tuple[int, int]
Pads = tuple[Pair, Pair]
"""Before and after the rows, and before and after the columns."""
Padding = Literal["same", "valid"]
NO_PADS: Pads = ((0, 0), (0, 0))


@dataclass(frozen=True)
class Window:
    """Rows and columns that each result looks at; "same" padding splits its zeros as TFLite does, the odd one last.

    Attributes:
        size: Rows and columns.
        stride: Distance of two windows.
        dilation: Distance of two elements of a window.
        padding: Zeros that follow from the other numbers.
        around: Zeros around the image before that.
    """

    size: Pair
    stride: Pair = (1, 1)
    dilation: Pair = (1, 1)
    padding: Padding = "valid"
    around: Pads = NO_PADS

    @property
    def extent(self) -> Pair:
        """Rows and columns between the first and the last element, both counted."""
        (h, w), (dh, dw) = self.size, self.dilation
        return (h - 1) * dh + 1, (w - 1) * dw + 1

    def output(self, x: TensorType) -> Pair:
        """Rows and columns of the result.

        Raises:
            ModelError: If `x` is not an image or smaller than the window.
        """
        if x.rank != 4:
            raise ModelError(f"a window moves over [1, H, W, C], not {x.shape}")
        if min(*self.size, *self.stride, *self.dilation) < 1:
            raise ModelError(f"size {self.size}, stride {self.stride} and dilation {self.dilation} must be positive")
        slack = (0, 0) if self.padding == "valid" else tuple(e - 1 for e in self.extent)
        rows, columns = (
            (n - e + s) // t + 1 for n, e, s, t in zip(self._image(x), self.extent, slack, self.stride, strict=True)
        )
        if min(rows, columns) < 1:
            raise ModelError(f"a window of {self.extent} does not fit into {x.shape}")
        return rows, columns

    def _image(self, x: TensorType) -> Pair:
        (top, bottom), (left, right) = self.around
        return top + x.shape[1] + bottom, left + x.shape[2] + right

    def pads(self, x: TensorType) -> Pads:
        """Padding before and after the rows, and before and after the columns."""
        missing = [
            max(0, (out - 1) * t + e - n) if self.padding == "same" else 0
            for out, t, e, n in zip(self.output(x), self.stride, self.extent, self._image(x), strict=True)
        ]
        rows, columns = (
            (before + m // 2, after + m - m // 2) for m, (before, after) in zip(missing, self.around, strict=True)
        )
        return rows, columns

    def patches(self, x: Array, fill: float = 0) -> Array:
        """Every window of `x`, with `fill` in the padding: [1, rows, columns, C, size of the window]."""
        image = np.pad(x, ((0, 0), *self.pads(TensorType(x.shape)), (0, 0)), constant_values=fill)
        windows = np.lib.stride_tricks.sliding_window_view(image, self.extent, axis=(1, 2))
        (sh, sw), (dh, dw) = self.stride, self.dilation
        return np.asarray(windows[:, ::sh, ::sw, :, ::dh, ::dw])

    def params(self, x: TensorType, y: TensorType) -> dict[str, int]:
        """The fields of a C kernel's parameters that describe the window."""
        (top, _), (left, _) = self.pads(x)
        return {
            "in_height": x.shape[1],
            "in_width": x.shape[2],
            "in_channels": x.shape[3],
            "out_height": y.shape[1],
            "out_width": y.shape[2],
            "out_channels": y.shape[3],
            "window_height": self.size[0],
            "window_width": self.size[1],
            "stride_height": self.stride[0],
            "stride_width": self.stride[1],
            "pad_top": top,
            "pad_left": left,
        }
