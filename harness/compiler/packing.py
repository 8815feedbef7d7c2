"""The layout of int8 weights that the packed dot products read (firmware/lib/aot/aot_dot_s8.h explains it)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

# The columns of a block in the order in which SXTB16 unpacks the inputs.
COLUMN_ORDER = [0, 2, 1, 3]
# Blocks that one call of a dot product covers: AOT_DOT_BLOCKS.
CALL_BLOCKS = 120


def can_pack(weights: npt.NDArray[np.int8]) -> bool:
    """Whether 256 * high + low fits 16 bits for every pair of rows.

    Only -128 above a negative weight does not, and TFLite's quantisation specification keeps weights above -128.
    """
    rows = weights.shape[0]
    return not np.any((weights[0 : rows - 1 : 2] == -128) & (weights[1::2] < 0))


def pack_rows(weights: npt.NDArray[np.int8]) -> npt.NDArray[np.int16]:
    """Pack `weights` [rows, columns]: groups of four rows, then one of two where one or two rows remain.

    Inside a group the columns come in calls of at most CALL_BLOCKS blocks, which needs no order of its own: blocks
    follow each other, and each holds four values for every pair of rows.
    """
    rows, columns = weights.shape
    padded = np.zeros((rows + rows % 2, columns + -columns % 4), np.int16)
    padded[:rows, :columns] = weights
    pairs = 256 * padded[0::2] + padded[1::2]
    blocks = pairs.reshape(pairs.shape[0], -1, 4)[:, :, COLUMN_ORDER]
    paired = blocks.shape[0] - blocks.shape[0] % 2
    groups = blocks[:paired].reshape(-1, 2, *blocks.shape[1:]).transpose(0, 2, 1, 3)
    return np.concatenate([groups.ravel(), blocks[paired:].ravel()]).astype(np.int16)
