"""models/NAME/quantization.json: the variants of a network, and what pruning would make of it."""

from __future__ import annotations

from typing import Literal

import msgspec

from tflm_hil.training.training_file import json_text

FILE = "quantization.json"


class VariantFigures(msgspec.Struct, frozen=True):
    """A variant. `bytes` are those of its `file`; the other figures are over the validation windows.

    `cross_entropy` is the mean in nats, `agreement` the share of windows with the same answer as the Keras network, and
    `runtime` what computed them. `engines` has for each engine None, or why it does not take the file.
    """

    name: str
    file: str
    bytes: int
    accuracy: float
    cross_entropy: float
    agreement: float
    runtime: str
    engines: dict[str, str | None]


class PruningFigures(msgspec.Struct, frozen=True):
    """The network without the `share` of its hidden units, trained on; `bytes` are those of its int8 .tflite.

    `units` are those of each hidden layer that are left. The other figures are those of the int8 network.
    """

    share: float
    units: list[int]
    parameters: int
    bytes: int
    accuracy: float
    cross_entropy: float


class Quantization(msgspec.Struct, frozen=True):
    """The content of quantization.json; `keras_bytes` is the size of the network before."""

    schema: Literal["hil-quantization/1"]
    model: str
    keras_bytes: int
    variants: list[VariantFigures]
    pruning: list[PruningFigures]


def encode(quantization: Quantization) -> bytes:
    """Return the text of quantization.json."""
    return json_text(msgspec.to_builtins(quantization)).encode()
