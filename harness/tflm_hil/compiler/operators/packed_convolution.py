"""The fast int8 convolutions: check that they are exact for a layer, and lay out its weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tflm_hil.compiler.arithmetic.quantization import INT8_MAX, INT8_MIN
from tflm_hil.compiler.graph.op import Op
from tflm_hil.compiler.graph.sliding_window import LARGEST, SlidingWindow
from tflm_hil.compiler.kernel_call import Array, KernelCall, Value
from tflm_hil.compiler.operators.channels import Channel, Constant, Int8Layer
from tflm_hil.compiler.operators.packing import can_pack_pairs, pack_pairs

# A convolution gathers the inputs of so many output pixels at once, in blocks of so many bytes.
PIXELS = 2
BLOCK_BYTES = 16
# Depthwise kernels of this size are the fastest.
SMALL_KERNEL = 3


def packed_convolution(op: Op, window: SlidingWindow, layer: Int8Layer, note: str) -> KernelCall | None:
    """Return the call for a layer of one group; None if the fast kernel is not exact for it."""
    split = layer.split()
    if split is None:
        return None
    channels, constants = split
    window = window.in_one_row()  # row ends take longer
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
    call = KernelCall(
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
        note=note,
    )
    # With an ADD the kernel does not limit the result of the convolution, except to int8.
    if layer.limits == (INT8_MIN, INT8_MAX):
        call = replace(call, with_add=replace(call, kernel="aot_conv_add_s8"))
    return call


def _scratch_lag(window: SlidingWindow, blocks: int) -> int | None:
    """By how many bytes the scratch memory must begin before the input, so that it overwrites only read bytes.

    It is computed only for kernels of one tap. They read four bytes of each pixel and then write a block. So a block
    must end before the inputs of the next block begin, and the last block before the next pixels begin.
    """
    if (window.kernel_height, window.kernel_width) != (1, 1):
        return None
    return max((BLOCK_BYTES - 4) * (blocks - 1), BLOCK_BYTES * blocks - PIXELS * window.input_channels)


def fits_small_kernel(window: SlidingWindow) -> bool:
    """Return whether a depthwise layer can use the fastest kernel, and fills it well: its size is 3, or nearly so."""
    kernel = window.kernel_height, window.kernel_width
    return max(kernel) == SMALL_KERNEL and min(kernel) >= SMALL_KERNEL - 1 and _has_pairs(window)


def _has_pairs(window: SlidingWindow) -> bool:
    return window.stride_width <= 2 <= window.output_width


def depthwise(op: Op, window: SlidingWindow, layer: Int8Layer, note: str) -> KernelCall | None:
    """Return the call for a layer with one group per input channel; None if the fast kernel is not exact for it."""
    split = layer.split()
    if split is None or max(window.dilation_height, window.dilation_width) > 1:
        return None
    channels, constants = split
    # Pad small kernels with zeros to the fastest size, unless two rows of three would be zeros.
    kernel = window.kernel_height, window.kernel_width
    rows, columns = (SMALL_KERNEL, SMALL_KERNEL) if kernel[0] > 1 and max(kernel) <= SMALL_KERNEL else kernel
    height = (window.output_height - 1) * window.stride_height + rows
    width = (window.output_width - 1) * window.stride_width + columns
    if max(height, width) > LARGEST:
        return None
    name = "aot_depthwise_s8"
    if (rows, columns) == (SMALL_KERNEL, SMALL_KERNEL) and _has_pairs(window):
        name += "_3x3_relu" if layer.limits[0] == layer.target.zero_point else "_3x3"
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
        name,
        parameters | _common(window, layer, channels, constants),
        "aot_depthwise_s8_t",
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
