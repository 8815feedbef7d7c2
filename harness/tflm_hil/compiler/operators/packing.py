"""Pack int8 weights for the packed dot products; aot_dot_s8.h describes the layout."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tflm_hil.compiler.arithmetic.quantization import INT8_MIN, Scale

# SXTB16 unpacks the inputs of a block in this order of columns.
COLUMN_ORDER = [0, 2, 1, 3]


def can_pack(weights: npt.NDArray[np.int8], bias: npt.NDArray[np.int32], scales: Sequence[Scale]) -> bool:
    """Return whether the packed kernels are exact for these weights [rows, columns], folded biases and scales.

    For each pair of rows, 256 * high + low must fit 16 bits. Only -128 above a negative weight does not fit, and the
    quantization specification of TFLite excludes -128. Scales must be below one half and sums below 2^30
    (aot_requantize.h). A layer violates that only if a step of its output is finer than a step of its sums.
    """
    rows = weights.shape[0]
    if np.any((weights[0 : rows - 1 : 2] == INT8_MIN) & (weights[1::2] < 0)):
        return False
    largest_sum = np.abs(weights.astype(np.int64)).sum(axis=1) * -INT8_MIN + np.abs(bias.astype(np.int64))
    return bool(np.all(largest_sum < 2**30)) and all(scale.left == 0 and scale.right >= 1 for scale in scales)


def can_pack_pairs(weights: npt.NDArray[np.int8]) -> bool:
    """Return whether the rows of `weights` [rows, columns] can be packed in pairs and summed at once.

    As for `can_pack`, 256 * high + low must fit 16 bits. The sum of each high row must stay below 2^23 for all inputs.
    """
    high, low = weights[0::2], weights[1::2]
    if np.any((high[: len(low)] == INT8_MIN) & (low < 0)):
        return False
    return bool(np.all(np.abs(high.astype(np.int64)).sum(axis=1) < 2**16))


def pack_pairs(weights: npt.NDArray[np.int8]) -> npt.NDArray[np.int16]:
    """Pack `weights` [rows, columns] by pair of rows and block of columns. `columns` must be a multiple of four."""
    rows, columns = weights.shape
    padded = np.zeros((rows + rows % 2, columns), np.int16)
    padded[:rows] = weights
    pairs = 256 * padded[0::2] + padded[1::2]
    return pairs.reshape(len(pairs), -1, 4)[:, :, COLUMN_ORDER].astype(np.int16)


def pack_rows(weights: npt.NDArray[np.int8]) -> npt.NDArray[np.int16]:
    """Pack `weights` [rows, columns]: groups of four rows, then a group of two if one or two rows remain."""
    rows, columns = weights.shape
    padded = np.zeros((rows + rows % 2, columns + -columns % 4), np.int16)
    padded[:rows, :columns] = weights
    pairs = 256 * padded[0::2] + padded[1::2]
    blocks = pairs.reshape(pairs.shape[0], -1, 4)[:, :, COLUMN_ORDER]
    paired = blocks.shape[0] - blocks.shape[0] % 2
    groups = blocks[:paired].reshape(-1, 2, *blocks.shape[1:]).transpose(0, 2, 1, 3)
    return np.concatenate([groups.ravel(), blocks[paired:].ravel()]).astype(np.int16)
