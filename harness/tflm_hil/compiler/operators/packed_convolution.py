"""The fast int8 convolutions: which layers they take, and how these lay out their weights."""

from __future__ import annotations

import numpy as np

from tflm_hil.compiler.graph.sliding_window import LARGEST, Window
from tflm_hil.compiler.kernel_call import Array, Step, Value
from tflm_hil.compiler.operators.channels import Channel, Constant, Int8Layer
from tflm_hil.compiler.operators.packing import can_pack_pairs, pack_pairs
from tflm_hil.models.tflite_file import Operator

# Convolutions gather the inputs of so many output pixels at once, in blocks of so many bytes.
PIXELS = 2
BLOCK_BYTES = 16
# The size of the fastest depthwise kernel.
SMALL_KERNEL = 3


def packed_convolution(operator: Operator, geometry: Window, layer: Int8Layer, note: str) -> Step | None:
    """The step for a layer of one group; None where the fast kernel would not be exact."""
    split = layer.split()
    if split is None:
        return None
    channels, constants = split
    geometry = geometry.in_one_row()  # the ends of rows take longer
    run_taps = geometry.kernel_width if geometry.dilation_width == 1 else 1
    runs = layer.weights.reshape(len(layer.weights), -1, run_taps * geometry.input_channels)
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
    x, y = operator.inputs[0], operator.outputs[0]
    return Step(
        operator,
        (x,),
        y,
        "aot_conv.h",
        "aot_conv_s8",
        parameters | _common(geometry, layer, channels, constants),
        readable={x: 3},
        lag=geometry.lag(),
        scratch=BLOCK_BYTES * blocks,
        scratch_lag=_scratch_lag(geometry, blocks),
        note=note,
    )


def _scratch_lag(geometry: Window, blocks: int) -> int | None:
    """By how many bytes the scratch memory must begin before the input, of which it may then overwrite what was read.

    That is worked out for a kernel of one tap only. There, block by block, four bytes of either pixel are read and then
    a block is written; so a block ends where the next one's inputs begin, and the last one where the next pixels do.
    """
    if (geometry.kernel_height, geometry.kernel_width) != (1, 1):
        return None
    return max((BLOCK_BYTES - 4) * (blocks - 1), BLOCK_BYTES * blocks - PIXELS * geometry.input_channels)


def fits_small_kernel(geometry: Window) -> bool:
    """Whether a depthwise layer has the kernel, or most of it, and the strides of the fastest loop."""
    kernel = geometry.kernel_height, geometry.kernel_width
    strides = geometry.stride_height, geometry.stride_width
    return max(kernel) == SMALL_KERNEL and min(kernel) >= SMALL_KERNEL - 1 and strides == (1, 1)


def depthwise(operator: Operator, geometry: Window, layer: Int8Layer, note: str) -> Step | None:
    """The step for a layer with a group for each input channel; None where the fast kernel does not take it."""
    split = layer.split()
    if split is None or max(geometry.dilation_height, geometry.dilation_width) > 1:
        return None
    channels, constants = split
    # Small kernels are filled up to the size that is fast.
    kernel = geometry.kernel_height, geometry.kernel_width
    rows, columns = (SMALL_KERNEL, SMALL_KERNEL) if max(kernel) <= SMALL_KERNEL else kernel
    height = (geometry.output_height - 1) * geometry.stride_height + rows
    width = (geometry.output_width - 1) * geometry.stride_width + columns
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
        "multiplier": geometry.output_channels // geometry.input_channels,
        "weights": Array("int8_t", weights) if channels else None,
    }
    x, y = operator.inputs[0], operator.outputs[0]
    return Step(
        operator,
        (x,),
        y,
        "aot_depthwise.h",
        "aot_depthwise_s8",
        parameters | _common(geometry, layer, channels, constants),
        in_place=geometry.output_channels == geometry.input_channels,
        scratch=height * width + 3,
        note=note,
    )


def _common(geometry: Window, layer: Int8Layer, channels: list[Channel], constants: list[Constant]) -> dict[str, Value]:
    return {
        "window": geometry,
        "rows": len(channels),
        "channels": Array("aot_channel_t", channels) if channels else None,
        "constant_count": len(constants),
        "constants": Array("aot_constant_t", constants) if constants else None,
        "input_zero_point": layer.source.zero_point,
        "zero_point": layer.target.zero_point,
        "minimum": layer.limits[0],
        "maximum": layer.limits[1],
    }
