"""The weakest hidden units go, whatever the scale that they have among ReLUs."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray
from tflm_hil.training.pruning import Layer, prune, strongest


def answers(layers: list[Layer], inputs: NDArray[np.float32]) -> NDArray[np.float32]:
    """What a dense network with ReLUs answers, before the softmax."""
    values = inputs
    for weights, biases in layers[:-1]:
        values = np.maximum(values @ weights + biases, 0)
    weights, biases = layers[-1]
    return np.asarray(values @ weights + biases, np.float32)


def network(seed: int = 1, sizes: tuple[int, ...] = (7, 10, 6, 3)) -> list[Layer]:
    rng = np.random.default_rng(seed)
    return [
        (rng.normal(size=(below, above)).astype(np.float32), rng.normal(size=above).astype(np.float32))
        for below, above in itertools.pairwise(sizes)
    ]


def test_units_that_say_nothing_go_and_no_answer_changes() -> None:
    layers = network()
    layers[1][0][[0, 3, 4, 7, 9]] = 0.0
    layers[2][0][[1, 2, 5]] = 0.0
    pruned = prune(layers, 0.5)
    assert [len(biases) for _, biases in pruned] == [5, 3, 3]
    inputs = np.random.default_rng(2).normal(size=(20, 7)).astype(np.float32)
    assert answers(pruned, inputs) == pytest.approx(answers(layers, inputs), abs=1e-4)


def test_the_scale_of_a_unit_does_not_matter() -> None:
    (weights, biases), following, _ = network()
    scales = np.logspace(-3, 3, len(biases)).astype(np.float32)
    scaled = (weights * scales, biases * scales), (following[0] / scales[:, None], following[1])
    assert strongest(*scaled, 0.4).tolist() == strongest((weights, biases), following, 0.4).tolist()


@pytest.mark.parametrize(("share", "left"), [(0.25, 8), (0.1, 9), (0.3, 7), (0.99, 1)])
def test_how_many_are_left(share: float, left: int) -> None:
    first, following, _ = network()
    assert len(strongest(first, following, share)) == left
