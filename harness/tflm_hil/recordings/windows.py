"""Cut a recording into the overlapping windows that the network sees."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def window_count(rows: int, window: int, stride: int) -> int:
    """Return the number of windows in `rows` rows: window n covers rows n * stride .. n * stride + window - 1."""
    return 0 if rows < window else (rows - window) // stride + 1


def windows(samples: NDArray[np.int16], window: int, stride: int) -> NDArray[np.int16]:
    """Return the windows of `samples` [rows, channels] as a read-only view [n, window, channels]."""
    if len(samples) < window:
        return np.empty((0, window, samples.shape[1]), dtype=samples.dtype)
    view = np.lib.stride_tricks.sliding_window_view(samples, window, axis=0)[::stride]
    return view.transpose(0, 2, 1)


def window_labels(row_labels: Sequence[str | None], window: int, stride: int) -> list[str | None]:
    """Return the label of each window: the label of more than half of its rows, else None."""
    labels = []
    for index in range(window_count(len(row_labels), window, stride)):
        rows = row_labels[index * stride : index * stride + window]
        labels.append(next((label for label in set(rows) if label and 2 * rows.count(label) > window), None))
    return labels
