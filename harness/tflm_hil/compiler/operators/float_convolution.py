"""The float32 convolutions: which kernel takes a layer, and how it lays out the weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tflm_hil.compiler.c_struct import Structure
from tflm_hil.compiler.graph.sliding_window import Window
from tflm_hil.compiler.kernel_call import Array, Value

# Outputs that a kernel computes at once.
LANES = 4, 2, 1
# The kernel for one input channel, which writes a row of the output before it has read all that it needs for it.
BY_TAPS = "aot_conv_f32_by_taps"


def float_convolution(
    geometry: Window,
    groups: int,
    weights: NDArray[np.float32],
    bias: NDArray[np.float32],
    limits: tuple[float, float],
) -> tuple[str, str, dict[str, Value]]:
    """The kernel for `weights` [outputs, height, width, inputs of a group], its header and its parameters."""
    multiplier = geometry.output_channels // geometry.input_channels
    depthwise = 1 < groups == geometry.input_channels
    order = _by_channel(groups, multiplier) if depthwise else _by_output(groups, geometry.output_channels // groups)
    lanes = [np.array(part) for part in order]
    parameters: dict[str, Value] = {
        "window": geometry,
        # [kernel row][kernel column][input][lane] for each part.
        "weights": Array("float", np.concatenate([np.moveaxis(weights[part], 0, -1).ravel() for part in lanes])),
        "bias": Array("float", bias[np.concatenate(lanes)]),
        "minimum": limits[0],
        "maximum": limits[1],
    }
    if depthwise:
        return "aot_depthwise_f32", "aot_depthwise.h", parameters | {"multiplier": multiplier}
    if geometry.input_channels == 1:
        return BY_TAPS, "aot_conv.h", parameters | {"columns": Array("aot_column_t", list(_columns(geometry)))}
    group = {"group_inputs": weights.shape[3], "group_outputs": geometry.output_channels // groups}
    return "aot_conv_f32", "aot_conv.h", parameters | group


@dataclass(frozen=True)
class Column(Structure):
    """Where a column of the kernel meets a row of the image; see aot_conv.h."""

    ctype: ClassVar[str] = "aot_column_t"
    bytes: ClassVar[int] = 12
    count: int
    output: int
    input: int


def _columns(geometry: Window) -> Iterator[Column]:
    places = np.arange(geometry.output_width) * geometry.stride_width - geometry.pad_left
    for column in range(geometry.kernel_width):
        at = places + column * geometry.dilation_width
        inside = np.flatnonzero((at >= 0) & (at < geometry.input_width))
        first = int(inside[0]) if len(inside) else 0
        yield Column(len(inside), first * geometry.output_channels, int(at[first]) if len(inside) else 0)


def _by_output(groups: int, outputs: int) -> Iterator[range]:
    """The outputs that are computed together: neighbours in a group."""
    for group in range(groups):
        for part in parts(outputs):
            yield range(group * outputs + part.start, group * outputs + part.stop)


def _by_channel(channels: int, multiplier: int) -> Iterator[range]:
    """The outputs that are computed together: one of each of neighbouring input channels."""
    for part in parts(channels):
        for output in range(multiplier):
            yield range(part.start * multiplier + output, part.stop * multiplier + output, multiplier)


def parts(count: int) -> Iterator[range]:
    """`count` in parts of four, then one of two and one of one where so many remain."""
    start = 0
    for lanes in LANES:
        while count - start >= lanes:
            yield range(start, start + lanes)
            start += lanes
