"""Take hidden units out of a dense network."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflm_hil.errors import HilError
from tflm_hil.models.manifest import Model
from tflm_hil.training.networks import dense

Layer = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Weights [inputs, units] and biases [units]."""

EPOCHS = 100
"""A pruned network is trained for at most so many epochs more."""


def strongest(layer: Layer, following: Layer, share: float) -> NDArray[np.int64]:
    """Return which units of `layer` to keep, in order, when the `share` of them is taken out: at least one.

    Those with the smallest norm go. The norm of a unit is that of the weights and bias that lead to it, by that of the
    weights that lead on: scaling the former up and the latter down changes no answer of a ReLU, nor this product. (Li
    et al., "Pruning Filters for Efficient ConvNets", ICLR 2017, prune by the norm of the former alone.)
    """
    (weights, biases), (onwards, _) = layer, following
    norms = np.linalg.norm(np.vstack([weights, biases]), axis=0) * np.linalg.norm(onwards, axis=1)
    kept = max(1, math.ceil(len(biases) * (1.0 - share) - 1e-9))
    return np.sort(np.argsort(-norms, kind="stable")[:kept])


def prune(layers: Sequence[Layer], share: float) -> list[Layer]:
    """Return `layers`, of which the last one is the output, without the `share` of units of each hidden one."""
    pruned = list(layers)
    for at in range(len(layers) - 1):
        kept = strongest(pruned[at], pruned[at + 1], share)
        (weights, biases), (onwards, following) = pruned[at], pruned[at + 1]
        pruned[at] = weights[:, kept], biases[kept]
        pruned[at + 1] = onwards[kept], following
    return pruned


def pruned_network(model: Model, network: Any, share: float) -> Any:
    """Return a dense network with the weights of `network` without the `share` of its hidden units.

    Raises HilError if `network` is not dense.
    """
    if any(type(layer).__name__ != "Dense" for layer in network.layers):
        raise HilError(
            f"--prune={share:g}: {model.name} is not dense, and only dense layers are pruned; leave it out, or train "
            "with --arch=dense"
        )
    layers = prune([(layer.kernel.numpy(), layer.bias.numpy()) for layer in network.layers], share)
    smaller = dense(model, [len(biases) for _, biases in layers[:-1]])
    smaller.set_weights([array for layer in layers for array in layer])
    return smaller
