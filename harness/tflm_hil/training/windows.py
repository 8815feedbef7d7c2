"""The labelled windows of recordings, which networks are trained on and judged by."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tflm_hil.models.manifest import Model
from tflm_hil.models.preprocess import Quantization, prepare
from tflm_hil.recordings import Recording, windows

FLOAT32 = Quantization(np.dtype(np.float32))


@dataclass(frozen=True, eq=False)
class Windows:
    """Windows with a label: raw `counts` int16[n, window, channels], and `classes` int64[n].

    A class is the place of a label among those of the model. `recordings` names the recording that each window is from.
    """

    counts: NDArray[np.int16]
    classes: NDArray[np.int64]
    recordings: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.classes)

    def of(self, names: Collection[str]) -> Windows:
        """Return the windows of the recordings `names`."""
        chosen = np.isin(self.recordings, list(names))
        return Windows(self.counts[chosen], self.classes[chosen], self.recordings[chosen])

    def inputs(self, model: Model, quantization: Quantization = FLOAT32) -> NDArray[np.float32]:
        """Return what a network of `model` takes, [n, window, channels] or in the model's layout: see `prepare`."""
        return prepare(self.counts, model.channels, quantization, model.layout)

    def targets(self, labels: int) -> NDArray[np.float32]:
        """Return the classes one-hot, float32[n, labels]."""
        return np.eye(labels, dtype=np.float32)[self.classes]


def labelled_windows(model: Model, recordings: Sequence[Recording]) -> Windows:
    """Return the windows of `recordings` that have a label, in order. Windows without one are left out."""
    counts, classes, names = [], [], []
    for recording in recordings:
        labels = recording.window_labels(model.window, model.stride)
        for window, label in zip(windows(recording.samples, model.window, model.stride), labels, strict=True):
            if label is not None:
                counts.append(window)
                classes.append(model.labels.index(label))
                names.append(recording.name)
    shape = (len(counts), model.window, len(model.channels))
    return Windows(np.array(counts, np.int16).reshape(shape), np.array(classes, np.int64), np.array(names, np.str_))
