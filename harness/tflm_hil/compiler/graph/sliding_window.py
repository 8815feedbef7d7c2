"""The geometry of a window that slides over an image, with the padding, strides and dilation of TFLite."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from tflm_hil.compiler.c_struct import CStruct
from tflm_hil.compiler.graph.op import Op

SAME, VALID = 0, 1
# The members that exist once for the height and once for the width.
PAIRS = ("input", "output", "kernel", "stride", "dilation")
LARGEST = 2**16 - 1


@dataclass(frozen=True)
class SlidingWindow(CStruct):
    """All sizes are in elements; see aot_window.h."""

    ctype: ClassVar[str] = "aot_window_t"
    bytes: ClassVar[int] = 28
    input_height: int
    input_width: int
    input_channels: int
    output_height: int
    output_width: int
    output_channels: int
    kernel_height: int
    kernel_width: int
    stride_height: int
    stride_width: int
    dilation_height: int
    dilation_width: int
    pad_top: int
    pad_left: int

    def flattened(self) -> SlidingWindow:
        """Return a column of pixels, such as a time series, as a row: memory is the same, and kernels are faster."""
        if (self.input_width, self.output_width, self.kernel_width) != (1, 1, 1):
            return self
        return replace(
            self,
            **{f"{name}_width": getattr(self, f"{name}_height") for name in PAIRS},
            **{f"{name}_height": 1 for name in PAIRS},
            pad_left=self.pad_top,
            pad_top=0,
        )

    def in_one_row(self) -> SlidingWindow:
        """Return the image as one row of pixels, if each output depends on only the pixel at the same place."""
        pixels = self.input_height * self.input_width
        sees = (self.kernel_height, self.kernel_width, self.stride_height, self.stride_width)
        if sees != (1, 1, 1, 1) or pixels > LARGEST:
            return self
        return replace(self, input_height=1, input_width=pixels, output_height=1, output_width=pixels)

    def lag(self, ahead: int = 0) -> int:
        """Return by how many elements the output must begin before the input, so that it overwrites only read elements.

        This applies to kernels that process the output pixels in order, and write at most `ahead` channels of a pixel
        while they still read its window.
        """
        rows, columns = np.arange(self.output_height), np.arange(self.output_width)
        # The first row and column of the input in each window.
        first_row = np.maximum(rows * self.stride_height - self.pad_top, 0)
        first_column = np.maximum(columns * self.stride_width - self.pad_left, 0)
        # How far writing is ahead of reading at the start of a row, and how much further within a row.
        read, written = self.input_width * self.input_channels, self.output_width * self.output_channels
        at_start = np.max(rows * written - first_row * read)
        within = np.max(columns * self.output_channels - first_column * self.input_channels)
        return int(at_start + within) + ahead

    def row_lag(self) -> int:
        """Return the lag of kernels that write a whole row of the output while they still read the windows of that "
        "row."""
        rows = np.arange(self.output_height)
        first_row = np.maximum(rows * self.stride_height - self.pad_top, 0)
        read, written = self.input_width * self.input_channels, self.output_width * self.output_channels
        return int(np.max((rows + 1) * written - first_row * read))


def sliding_window(op: Op, kernel: tuple[int, int]) -> SlidingWindow:
    """Return how a `kernel` (height, width) slides over the first input of `op`, [1, height, width, channels].

    Sources: ComputeOutSize and ComputePadding of tensorflow/lite/kernels/padding.h.

    Raises:
        HilError: the shapes do not fit each other, or there is more than one image.
    """
    x, y = op.input(0), op.output
    if len(x.shape) != 4 or len(y.shape) != 4:
        raise op.refuse(f"has the shapes {list(x.shape)} and {list(y.shape)}, but needs images; export the model again")
    if x.shape[0] != 1 or y.shape[0] != 1:
        raise op.refuse(
            f"has a batch of {x.shape[0]}, but the aot engine takes one image at a time; export the model with a batch "
            "of 1"
        )
    padding = op.option("Padding", SAME)
    dimensions = []
    for axis, name in enumerate("HW"):
        stride = op.option(f"Stride{name}", 0)
        # Pooling has no such option.
        dilation = op.option(f"Dilation{name}Factor", 1)
        size = x.shape[axis + 1]
        span = (kernel[axis] - 1) * dilation + 1
        if stride < 1 or dilation < 1 or kernel[axis] < 1 or padding not in (SAME, VALID):
            raise op.refuse(
                f"has kernel {kernel}, stride {stride}, dilation {dilation}, padding {padding}; export the model again"
            )
        outputs = -(-size // stride) if padding == SAME else -(-(size - span + 1) // stride)
        if outputs != y.shape[axis + 1]:
            raise op.refuse_shape()
        pad = max((outputs - 1) * stride + span - size, 0) // 2
        dimensions.append((kernel[axis], stride, dilation, pad))
    numbers = [*x.shape[1:], *y.shape[1:], *(number for pair in zip(*dimensions, strict=True) for number in pair)]
    if max(numbers) > LARGEST:
        raise op.refuse(
            f"has a dimension of {max(numbers)}, but at most {LARGEST} are supported; use a smaller network"
        )
    return SlidingWindow(*numbers)
