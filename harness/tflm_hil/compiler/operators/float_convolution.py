"""Choose the kernel for a float32 convolution and lay out its weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tflm_hil.compiler.c_struct import CStruct
from tflm_hil.compiler.graph.op import Op
from tflm_hil.compiler.graph.sliding_window import SlidingWindow
from tflm_hil.compiler.kernel_call import Array, KernelCall, Value

FLOAT_BYTES = 4
# The numbers of outputs that a kernel computes at once.
LANES = 4, 2, 1


def float_convolution(
    op: Op,
    window: SlidingWindow,
    groups: int,
    weights: NDArray[np.float32],
    bias: NDArray[np.float32],
    limits: tuple[float, float],
    note: str,
) -> KernelCall:
    """Return the call for `weights` [outputs, height, width, inputs of a group]."""
    multiplier = window.output_channels // window.input_channels
    is_depthwise = 1 < groups == window.input_channels
    order = _by_channel(groups, multiplier) if is_depthwise else _by_output(groups, window.output_channels // groups)
    lanes = [np.array(part) for part in order]
    parameters: dict[str, Value] = {
        "window": window,
        # For each part: [kernel row][kernel column][input][lane].
        "weights": Array("float", np.concatenate([np.moveaxis(weights[part], 0, -1).ravel() for part in lanes])),
        "bias": Array("float", bias[np.concatenate(lanes)]),
        "minimum": limits[0],
        "maximum": limits[1],
    }
    header, lag = "aot_conv.h", window.lag(ahead=window.output_channels - 1)
    if is_depthwise:
        header, name = "aot_depthwise.h", "aot_depthwise_f32"
        parameters |= {"multiplier": multiplier}
    elif window.input_channels == 1:
        # This kernel writes to a row of the output while it still reads the windows of that row.
        name, lag = "aot_conv_f32_by_taps", window.row_lag()
        parameters |= {"columns": Array("aot_column_t", list(_columns(window)))}
    else:
        name = "aot_conv_f32"
        parameters |= {"group_inputs": weights.shape[3], "group_outputs": window.output_channels // groups}
    inputs, outputs = (op.input(0).index,), (op.output.index,)
    return KernelCall(op, inputs, outputs, header, name, parameters, lag=FLOAT_BYTES * lag, note=note)


@dataclass(frozen=True)
class Column(CStruct):
    """The overlap of a kernel column with a row of the image; see aot_conv.h."""

    ctype: ClassVar[str] = "aot_column_t"
    bytes: ClassVar[int] = 12
    count: int
    output: int
    input: int


def _columns(window: SlidingWindow) -> Iterator[Column]:
    places = np.arange(window.output_width) * window.stride_width - window.pad_left
    for column in range(window.kernel_width):
        at = places + column * window.dilation_width
        inside = np.flatnonzero((at >= 0) & (at < window.input_width))
        first = int(inside[0]) if len(inside) else 0
        yield Column(len(inside), first * window.output_channels, int(at[first]) if len(inside) else 0)


def _by_output(groups: int, outputs: int) -> Iterator[range]:
    """The outputs that are computed together: neighbours in the same group."""
    for group in range(groups):
        for part in parts(outputs):
            yield range(group * outputs + part.start, group * outputs + part.stop)


def _by_channel(channels: int, multiplier: int) -> Iterator[range]:
    """The outputs that are computed together: one for each of several neighbouring input channels."""
    for part in parts(channels):
        for output in range(multiplier):
            yield range(part.start * multiplier + output, part.stop * multiplier + output, multiplier)


def parts(count: int) -> Iterator[range]:
    """Divide `count` into parts of four, then one part of two and one of one as needed."""
    start = 0
    for lanes in LANES:
        while count - start >= lanes:
            yield range(start, start + lanes)
            start += lanes
