"""The output channels of an int8 convolution: find the constant channels, and the arithmetic of the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from tflm_hil.compiler.arithmetic.fixed_point import rescale
from tflm_hil.compiler.arithmetic.quantization import INT8_MAX, INT8_MIN, Quantization, Scale
from tflm_hil.compiler.c_struct import CStruct


@dataclass(frozen=True)
class Channel(CStruct):
    """An output channel of a packed convolution. The factor is multiplier * 2^(-shift - 32); the bias is folded."""

    ctype: ClassVar[str] = "aot_channel_t"
    bytes: ClassVar[int] = 12
    twice_bias: int
    multiplier: int
    shift: int
    output: int


@dataclass(frozen=True)
class Constant(CStruct):
    """An output channel that does not depend on the input."""

    ctype: ClassVar[str] = "aot_constant_t"
    bytes: ClassVar[int] = 4
    output: int
    value: int


@dataclass(frozen=True)
class Int8Layer:
    """`weights` are [outputs, height, width, inputs of a group]; there is one scale per output, or one for all."""

    weights: npt.NDArray[np.int8]
    bias: npt.NDArray[np.int32]
    scales: list[Scale]
    source: Quantization
    target: Quantization
    limits: tuple[int, int]

    def split(self) -> tuple[list[Channel], list[Constant]] | None:
        """Return the channels to compute and the constant channels; None if aot_channel.h is not exact for a channel.

        The output is monotonic in the sum, so it is constant if it is equal for the least and the largest sum. Padding
        does not matter, because it stands for the zero point of the input, which is a value like any other.
        """
        weights = self.weights.reshape(len(self.weights), -1).astype(np.int64)
        # sum((x - z) w) + b = sum(x w) + (b - z sum(w))
        bias = self.bias - self.source.zero_point * weights.sum(axis=1)
        ends = weights * INT8_MIN, weights * INT8_MAX
        least, largest = bias + np.minimum(*ends).sum(axis=1), bias + np.maximum(*ends).sum(axis=1)
        scales = self.scales if len(self.scales) > 1 else self.scales * len(weights)
        channels, constants = [], []
        for output, (scale, low, high) in enumerate(zip(scales, least.tolist(), largest.tolist(), strict=True)):
            if low < -(2**31) or high >= 2**31:
                return None
            first, last = self._stored(low, scale), self._stored(high, scale)
            if first == last:
                constants.append(Constant(output, first))
            elif scale.left > 0 or scale.right < 1 or max(-low, high) >= 2**30 or scale.right > 23:
                return None
            else:
                channels.append(Channel(2 * int(bias[output]), scale.multiplier, scale.right - 1, output))
        return channels, constants

    def _stored(self, total: int, scale: Scale) -> int:
        value = rescale(total, scale) + self.target.zero_point
        return min(max(value, self.limits[0]), self.limits[1])
