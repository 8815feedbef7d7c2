"""The fast int8 convolutions: which layers they take, and how these lay out their weights."""

from __future__ import annotations

import numpy as np

from tflm_hil.compiler.arithmetic.quantization import INT8_MAX, INT8_MIN
from tflm_hil.compiler.graph.op import Op
from tflm_hil.compiler.graph.sliding_window import LARGEST, SlidingWindow
from tflm_hil.compiler.kernel_call import Array, KernelCall, Value
from tflm_hil.compiler.operators.channels import Channel, Constant, Int8Layer
from tflm_hil.compiler.operators.packing import can_pack_pairs, pack_pairs

# Convolutions gather the inputs of so many output pixels at once, in blocks of so many bytes.
PIXELS = 2
BLOCK_BYTES = 16
# The size of the fastest depthwise kernel.
SMALL_KERNEL = 3


def packed_convolution(op: Op, window: SlidingWindow, layer: Int8Layer, note: str) -> KernelCall | None:
    """The call for a layer of one group; None if the fast kernel would not be exact."""
    split = layer.split()
    if split is None:
        return None
    channels, constants = split
    window = window.in_one_row()  # the ends of rows take longer
    run_taps = window.kernel_width if window.dilation_width == 1 else 1
    runs = layer.weights.reshape(len(layer.weights), -1, run_taps * window.input_channels)
    rows = np.pad(runs, ((0, 0), (0, 0), (0, -runs.shape[2] % 4))).reshape(len(runs), -1)
    rows = rows[[channel.output for channel in channels]]
    if not can_pack_pairs(rows):
        return None
    blocks = rows.shape[1] // 4
    parameters = {
        "run_taps": run_taps,
        "blocks": blocks,
        "weights": Array("int16_t", pack_pairs(rows)) if channels else None,
        "residual": None,
    }
    x = op.input(0).index
    # With an ADD the kernel saves itself a comparison, and so it only takes layers that use the whole range of int8.
    unlimited = layer.limits == (INT8_MIN, INT8_MAX)
    return KernelCall(
        op,
        (x,),
        (op.output.index,),
        "aot_conv.h",
        "aot_conv_s8",
        parameters | _common(window, layer, channels, constants),
        readable={x: 3},
        lag=window.lag(),
        scratch=BLOCK_BYTES * blocks,
        scratch_lag=_scratch_lag(window, blocks),
        kernel_with_add="aot_conv_add_s8" if unlimited else None,
        note=note,
    )


def _scratch_lag(window: SlidingWindow, blocks: int) -> int | None:
    """By how many bytes the scratch memory must begin before the input to overwrite only what has been read of it.

    It is worked out for a kernel of one tap only: block by block, that reads four bytes of either pixel, then writes
    a block. So a block must end where the next one's inputs begin, and the last one where the next pixels do.
    """
    if (window.kernel_height, window.kernel_width) != (1, 1):
        return None
    return max((BLOCK_BYTES - 4) * (blocks - 1), BLOCK_BYTES * blocks - PIXELS * window.input_channels)


def fits_small_kernel(window: SlidingWindow) -> bool:
    """Whether a depthwise layer has the kernel, or most of it, and the strides of the fastest loop."""
    kernel = window.kernel_height, window.kernel_width
    strides = window.stride_height, window.stride_width
    return max(kernel) == SMALL_KERNEL and min(kernel) >= SMALL_KERNEL - 1 and strides == (1, 1)


def depthwise(op: Op, window: SlidingWindow, layer: Int8Layer, note: str) -> KernelCall | None:
    """The call for a layer with a group for each input channel; None if the fast kernel does not take it."""
    split = layer.split()
    if split is None or max(window.dilation_height, window.dilation_width) > 1:
        return None
    channels, constants = split
    # Small kernels are filled up to the size that is fast.
    kernel = window.kernel_height, window.kernel_width
    rows, columns = (SMALL_KERNEL, SMALL_KERNEL) if max(kernel) <= SMALL_KERNEL else kernel
    height = (window.output_height - 1) * window.stride_height + rows
    width = (window.output_width - 1) * window.stride_width + columns
    if max(height, width) > LARGEST:
        return None
    blocks = -(-columns // 4)
    weights = layer.weights[[channel.output for channel in channels]].reshape(-1, *kernel)
    weights = np.pad(weights, ((0, 0), (0, rows - kernel[0]), (0, 4 * blocks - kernel[1])))
    parameters = {
        "plane_height": height,
        "plane_width": width,
        "kernel_rows": rows,
        "row_blocks": blocks,
        "multiplier": window.output_channels // window.input_channels,
        "weights": Array("int8_t", weights) if channels else None,
    }
    return KernelCall(
        op,
        (op.input(0).index,),
        (op.output.index,),
        "aot_depthwise.h",
        "aot_depthwise_s8",
        parameters | _common(window, layer, channels, constants),
        in_place=window.output_channels == window.input_channels,
        scratch=height * width + 3,
        note=note,
    )


def _common(
    window: SlidingWindow, layer: Int8Layer, channels: list[Channel], constants: list[Constant]
) -> dict[str, Value]:
    return {
        "window": window,
        "rows": len(channels),
        "channels": Array("aot_channel_t", channels) if channels else None,
        "constant_count": len(constants),
        "constants": Array("aot_constant_t", constants) if constants else None,
        "input_zero_point": layer.source.zero_point,
        "zero_point": layer.target.zero_point,
        "minimum": layer.limits[0],
        "maximum": layer.limits[1],
    }
