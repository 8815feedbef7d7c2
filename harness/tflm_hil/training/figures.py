"""How good the scores of a network are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SMALLEST = 1e-7
"""Scores below this count as this, as in Keras: the logarithm of 0 would spoil the mean."""

Scores = NDArray[np.float64]
"""[windows, labels], already real numbers."""


def accuracy(scores: Scores, classes: NDArray[np.int64]) -> float:
    """Return the share of windows whose largest score is that of their class; the first one if several are equal."""
    return float(np.mean(scores.argmax(axis=1) == classes))


def cross_entropy(scores: Scores, classes: NDArray[np.int64], step: float = 0.0) -> float:
    """Return the mean of -ln(score of the right class), in nats.

    Quantized scores come in steps of `step`; a stored 0 stands for anything below half of one, and counts as half.
    """
    right = scores[np.arange(len(classes)), classes]
    return float(np.mean(-np.log(np.clip(right, max(SMALLEST, step / 2), 1.0))))


def agreement(scores: Scores, others: Scores) -> float:
    """Return the share of windows for which both have the same largest score."""
    return float(np.mean(scores.argmax(axis=1) == others.argmax(axis=1)))


def confusion(scores: Scores, classes: NDArray[np.int64]) -> list[list[int]]:
    """Return how many windows of each class (rows) got which answer (columns)."""
    labels = scores.shape[1]
    counted = np.bincount(classes * labels + scores.argmax(axis=1), minlength=labels * labels)
    return [[int(count) for count in row] for row in counted.reshape(labels, labels)]
