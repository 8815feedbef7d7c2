"""Accuracy, cross-entropy, agreement and confusion are what their definitions say."""

from __future__ import annotations

import numpy as np
import pytest
from tflm_hil.training.figures import accuracy, agreement, confusion, cross_entropy

SCORES = np.array([[0.5, 0.25, 0.25], [0.1, 0.8, 0.1], [0.2, 0.3, 0.5], [0.4, 0.4, 0.2]])
CLASSES = np.array([0, 1, 1, 1])


def test_accuracy_takes_the_first_of_equal_scores() -> None:
    assert accuracy(SCORES, CLASSES) == 0.5


def test_cross_entropy_is_the_mean_of_minus_the_logarithm() -> None:
    assert cross_entropy(SCORES, CLASSES) == pytest.approx(-np.log([0.5, 0.8, 0.3, 0.4]).mean())


def test_a_stored_zero_counts_as_half_a_step() -> None:
    scores, classes = np.array([[0.0, 0.99609375]]), np.array([0])
    assert cross_entropy(scores, classes, 1 / 256) == pytest.approx(np.log(512))
    assert cross_entropy(scores, classes) == pytest.approx(-np.log(1e-7))


def test_agreement() -> None:
    assert agreement(SCORES, SCORES[::-1]) == 0.5
    assert agreement(SCORES, SCORES) == 1.0


def test_confusion_has_a_row_for_each_label() -> None:
    assert confusion(SCORES, CLASSES) == [[1, 0, 0], [1, 1, 1], [0, 0, 0]]
