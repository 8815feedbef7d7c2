"""The float32 convolutions: which kernel takes a layer, and how it lays out the weights."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from harness.compiler.step import Array, Value
from harness.compiler.window import Window

# Outputs that a kernel computes at once.
LANES = 4, 2, 1


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
    group = {"group_inputs": weights.shape[3], "group_outputs": geometry.output_channels // groups}
    return "aot_conv_f32", "aot_conv.h", parameters | group


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
