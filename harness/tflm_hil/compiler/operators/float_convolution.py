"""Choose the kernel for a float32 convolution and lay out its weights."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tflm_hil.compiler.arithmetic.quantization import FLOAT_MAX
from tflm_hil.compiler.graph.op import Op
from tflm_hil.compiler.graph.sliding_window import SlidingWindow
from tflm_hil.compiler.kernel_call import Array, KernelCall, Value
from tflm_hil.compiler.operators.tiles import tiled, untiled

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
    if groups == window.input_channels == 1 and (small := _small(op, window, weights, bias, limits, note)):
        return small
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
    else:
        name = "aot_conv_f32"
        parameters |= {"group_inputs": weights.shape[3], "group_outputs": window.output_channels // groups}
    inputs, outputs = (op.input(0).index,), (op.output.index,)
    return KernelCall(op, inputs, outputs, header, name, parameters, lag=FLOAT_BYTES * lag, note=note)


def _small(
    op: Op,
    window: SlidingWindow,
    weights: NDArray[np.float32],
    bias: NDArray[np.float32],
    limits: tuple[float, float],
    note: str,
) -> KernelCall | None:
    """Return the call for one input channel, or None if it is no small one.

    Padding changes no sum, as weights are finite: it adds a zero of either sign, and a sum that begins with +0 is never
    -0.
    """
    pixels = window.output_width
    *_, last = (len(part) for part in parts(len(weights)))
    # Fewer than four channels are computed for two or four pixels at once, and without dilation.
    fits = last == LANES[0] or (pixels >= LANES[0] // last and window.dilation_width == 1)
    if not fits:
        return None
    rows = np.column_stack([bias, weights.reshape(len(weights), -1)])
    coefficients = [rows[part].T.ravel() for part in parts(len(weights))]
    tiling = untiled(window, FLOAT_BYTES) or tiled(window, FLOAT_BYTES, min(LANES[0], pixels))
    if tiling is None:
        return None
    parameters: dict[str, Value] = {
        "window": window,
        "tiles": tiling.tiles,
        "coefficients": Array("float", np.concatenate(coefficients)),
        "minimum": limits[0],
        "maximum": limits[1],
        # A finite sum has no infinite summand.
        "most": limits[1] if limits[1] == FLOAT_MAX else -np.inf,
    }
    lag = tiling.lag(FLOAT_BYTES * window.output_channels) if tiling.copies else FLOAT_BYTES * window.row_lag()
    return KernelCall(
        op,
        (op.input(0).index,),
        (op.output.index,),
        "aot_conv.h",
        "aot_conv_f32_small_padded" if tiling.copies else "aot_conv_f32_small",
        parameters,
        "aot_conv_f32_small_t",
        lag=lag,
        scratch=tiling.scratch,
        note=note,
    )


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
