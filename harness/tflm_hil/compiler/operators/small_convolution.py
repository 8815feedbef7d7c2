"""The int8 convolution for windows of few inputs: choose its groups and tiles, and lay out its coefficients."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from tflm_hil.compiler.arithmetic.quantization import INT8_MAX, INT8_MIN
from tflm_hil.compiler.graph.op import Op
from tflm_hil.compiler.graph.sliding_window import SlidingWindow
from tflm_hil.compiler.kernel_call import Array, KernelCall, Value
from tflm_hil.compiler.operators.channels import Channel, Constant, Int8Layer
from tflm_hil.compiler.operators.packed_convolution import packed_convolution
from tflm_hil.compiler.operators.tiles import first_read, lag_of, tiled, untiled

# The most inputs of a window, and the most weights of a group. With more of them packed_convolution() takes about as
# many instructions, and its weights half the flash.
MOST_INPUTS, MOST_WEIGHTS = 32, 256
# Outputs that are computed at once.
LANES = 4
# A run has no loop, so it has only so many blocks of so many inputs.
BLOCK, MOST_BLOCKS = 4, 4
# A bit of the shift.
LAST = -(2**31)


def small_convolution(op: Op, window: SlidingWindow, layer: Int8Layer, note: str) -> KernelCall | None:
    """Return the call for a layer of one group; None if it is not small, or the kernel is not exact for it."""
    split = layer.split()
    if split is None:
        return None
    packed = packed_convolution(op, window, layer, note)
    window = window.in_one_row()
    size = window.kernel_height, window.kernel_width
    weights = layer.weights.reshape(window.output_channels, *size, window.input_channels)
    group = LANES // math.gcd(window.output_channels, LANES)
    is_dilated = window.dilation_width > 1 and group == 1 and _is_series(window)
    if not is_dilated:
        window, weights = _without_gaps(window, weights)
    if weights[0].size > MOST_INPUTS or group > window.output_width:
        return None
    runs = _runs(_of_group(window, weights, group))
    if runs is None or runs.weights.size > MOST_WEIGHTS:
        return None
    tiling = None if is_dilated else untiled(window, window.input_channels)
    tiling = tiling or tiled(window, window.input_channels, group, window.dilation_width, runs.extra)
    if tiling is None:
        return None
    variant = "_dilated" if is_dilated else "_padded" if tiling.copies else ""
    pitch = tiling.tiles.pitch
    step = window.dilation_height * pitch - runs.length if window.kernel_height > 1 else 0
    relu = layer.limits == (layer.target.zero_point, INT8_MAX)
    minimum, maximum = (INT8_MIN, INT8_MAX) if relu else layer.limits
    parameters: dict[str, Value] = {
        "y_step": (window.dilation_width - 1) * window.output_channels,
        "x_step": group * window.stride_width * window.input_channels,
        "runs_span": (runs.length + step) * runs.count if runs.count > 1 else 0,
        "run_step": step,
        "coefficients": Array("int32_t", _coefficients(*split, runs, layer.target.zero_point)),
        "blocks": runs.blocks,
        "single": int(runs.single),
        "relu": int(relu),
        "tiles": tiling.tiles,
        "group": group,
        "window": window,
        "input_zero_point": layer.source.zero_point,
        "minimum": minimum,
        "maximum": maximum,
    }
    x = op.input(0).index
    return KernelCall(
        op,
        (x,),
        (op.output.index,),
        "aot_conv.h",
        f"aot_conv_s8_small{variant}",
        parameters,
        "aot_conv_s8_small_t",
        readable={} if tiling.copies else {x: runs.extra},
        lag=tiling.lag(window.output_channels) if tiling.copies else _lag_of_groups(window, group),
        scratch=tiling.scratch,
        with_add=packed.with_add if packed else None,
        note=note,
    )


@dataclass(frozen=True)
class _Runs:
    """The weights [outputs of a group, runs, inputs of a run]; the group's window is shorter by `extra` inputs."""

    weights: npt.NDArray[np.int8]
    extra: int

    @property
    def count(self) -> int:
        return int(self.weights.shape[1])

    @property
    def length(self) -> int:
        return int(self.weights.shape[2])

    @property
    def single(self) -> bool:
        """Whether a run begins with an input that is in no block."""
        return self.length % BLOCK == 1

    @property
    def blocks(self) -> int:
        return self.length // BLOCK


def _is_series(window: SlidingWindow) -> bool:
    """Return whether image and kernel are single rows, and the stride is 1."""
    return (window.input_height, window.kernel_height, window.stride_width) == (1, 1, 1)


def _without_gaps(window: SlidingWindow, weights: npt.NDArray[np.int8]) -> tuple[SlidingWindow, npt.NDArray[np.int8]]:
    """The same without dilation along the width: zeros are faster than single inputs."""
    outputs, height, width, inputs = weights.shape
    spread = np.zeros((outputs, height, (width - 1) * window.dilation_width + 1, inputs), np.int8)
    spread[:, :, :: window.dilation_width] = weights
    return replace(window, kernel_width=spread.shape[2], dilation_width=1), spread


def _of_group(window: SlidingWindow, weights: npt.NDArray[np.int8], group: int) -> npt.NDArray[np.int8]:
    """The weights of all outputs of `group` neighbouring pixels, for what all of them see."""
    outputs, height, width, inputs = weights.shape
    stride = window.stride_width
    all_weights = np.zeros((group, outputs, height, (group - 1) * stride + width, inputs), np.int8)
    for pixel in range(group):
        all_weights[pixel, :, :, pixel * stride : pixel * stride + width] = weights
    return all_weights.reshape(group * outputs, height, -1)


def _runs(weights: npt.NDArray[np.int8]) -> _Runs | None:
    """Divide the weights [outputs, rows, inputs of a row] into runs. Only a single row may have more than one."""
    outputs, rows, inputs = weights.shape
    most = MOST_BLOCKS * BLOCK
    parts = -(-inputs // most) if inputs > most + 1 else 1
    if parts > 1 and rows > 1:
        return None
    length = -(-inputs // parts)
    length += 0 if length % BLOCK == 1 else -length % BLOCK
    extra = parts * length - inputs
    return _Runs(np.pad(weights, ((0, 0), (0, 0), (0, extra))).reshape(outputs, rows * parts, length), extra)


def _coefficients(
    channels: list[Channel], constants: list[Constant], runs: _Runs, zero_point: int
) -> npt.NDArray[np.int32]:
    """The coefficients of a group; see aot_conv.h."""
    outputs = len(channels) + len(constants)
    weights = 2 * runs.weights.astype(np.int32)
    bias, arithmetic = np.zeros(outputs, np.int32), np.zeros((outputs, 3), np.int32)
    for channel in channels:
        bias[channel.output] = channel.twice_bias
        arithmetic[channel.output] = channel.multiplier, (2 * zero_point + 1) << channel.shift, channel.shift
    for constant in constants:
        weights[constant.output :: outputs] = 0
        arithmetic[constant.output] = 0, 2 * constant.value + 1, 0
    pixels = len(weights) // outputs
    bias, arithmetic = np.tile(bias, pixels), np.tile(arithmetic, (pixels, 1))
    arithmetic[-1, 2] |= LAST
    parts = []
    for first in range(0, len(weights), LANES):
        lanes = slice(first, first + LANES)
        parts += [bias[lanes], _weights_of_lanes(weights[lanes], runs), arithmetic[lanes].ravel()]
    return np.concatenate(parts)


def _weights_of_lanes(weights: npt.NDArray[np.int32], runs: _Runs) -> npt.NDArray[np.int32]:
    """The words for the weights [outputs, runs, inputs of a run] of four outputs."""
    words = []
    if runs.single:
        words.append(_words(weights[0::2, :, 0], weights[1::2, :, 0]).T)
    blocks = weights[:, :, int(runs.single) :].reshape(LANES, runs.count, runs.blocks, BLOCK)
    in_order = _words(blocks[..., :2], blocks[..., 2:]).transpose(1, 2, 3, 0)
    words.append(in_order.reshape(runs.count, -1))
    return np.concatenate(words, axis=1).ravel()


def _words(low: npt.NDArray[np.int32], high: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    return (low & 0xFFFF) | (high << 16)


def _lag_of_groups(window: SlidingWindow, group: int) -> int:
    """The lag if a group of pixels is written while it is read. The rest of each row comes after all whole groups."""
    rows = np.arange(window.output_height)[:, None]
    whole = np.arange(0, window.output_width - group + 1, group)
    rest = np.full(int(window.output_width % group > 0), window.output_width - group)
    read = np.concatenate([first_read(window, rows, columns) for columns in (whole, rest)])
    ends = np.concatenate([(rows * window.output_width + columns + group).ravel() for columns in (whole, rest)])
    return lag_of(window.input_channels * read, window.output_channels * ends)
