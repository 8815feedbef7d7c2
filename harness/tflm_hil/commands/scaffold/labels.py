"""Which output of a network stands for which label, by what it answers to recordings that have labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tflm_hil.models.manifest import Model
from tflm_hil.models.preprocess import prepare
from tflm_hil.models.reference import Reference
from tflm_hil.recordings import Recording, windows

WINDOWS = 100
"""As many of each recording are asked for."""

AGREEMENT = 0.75


def order(
    model: Model, reference: Reference, recordings: Sequence[Recording], labels: Sequence[str]
) -> tuple[tuple[str, ...], float] | None:
    """Return `labels` in the order of the outputs, and the fraction of labelled windows that agree with it.

    None if the answers leave it open: each label must have an output of its own that is largest for most of its
    windows, and AGREEMENT of all labelled windows must agree.
    """
    counts = np.zeros((len(labels), len(labels)), int)
    for recording in recordings:
        raw = windows(recording.samples, model.window, model.stride)[:WINDOWS]
        prepared = prepare(raw, model.channels, reference.input_quantization, model.layout)
        answers = reference.run(prepared).reshape(len(raw), -1).argmax(axis=1)
        truths = recording.window_labels(model.window, model.stride)
        for label, answer in zip(truths, answers.tolist(), strict=False):
            if label in labels:
                counts[labels.index(label), answer] += 1
    best = counts.argmax(axis=1)
    agreeing = counts.max(axis=1)
    if (agreeing == 0).any() or len(set(best.tolist())) < len(labels) or agreeing.sum() < AGREEMENT * counts.sum():
        return None
    return tuple(labels[int(at)] for at in best.argsort()), float(agreeing.sum() / counts.sum())
