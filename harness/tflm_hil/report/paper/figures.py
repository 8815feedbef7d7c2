"""paper.json: the figures that the page is drawn from, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from tflm_hil.errors import HilError

FILE = "paper.json"


class Sides(msgspec.Struct, frozen=True):
    """A figure of the training side and of the validation side."""

    training: float
    validation: float


class Counts(msgspec.Struct, frozen=True):
    """How many there are on the training side and on the validation side."""

    training: int
    validation: int


class History(msgspec.Struct, frozen=True):
    """One figure an epoch."""

    loss: list[float]
    accuracy: list[float]
    val_loss: list[float]
    val_accuracy: list[float]


class Trace(msgspec.Struct, frozen=True):
    """A channel of a recording, in its `unit`."""

    name: str
    unit: str
    values: list[float]


class Gesture(msgspec.Struct, frozen=True):
    """One recording of a gesture; all traces have the same length."""

    label: str
    recording: str
    sample_rate_hz: float
    traces: list[Trace]


class Variant(msgspec.Struct, frozen=True):
    """A .tflite; what is no size is over the validation windows."""

    name: str
    bytes: int
    accuracy: float
    cross_entropy: float
    agreement: float


class Pruned(msgspec.Struct, frozen=True):
    """The network without a `share` of its hidden units, trained on: as int8, over the validation windows.

    `units` are those of each hidden layer that are left.
    """

    share: float
    units: list[int]
    parameters: int
    bytes: int
    accuracy: float
    cross_entropy: float


class Paper(msgspec.Struct, frozen=True):
    """A run of our own. `inputs` are the values of a window; `simulated` says whether nobody moved.

    `windows` and `recordings` are counts; `accuracy` and `cross_entropy` (mean, in nats) are those of the network
    before it was quantized, whose file has `keras_bytes`.
    """

    schema: Literal["hil-paper/1"]
    model: str
    arch: str
    labels: list[str]
    inputs: int
    parameters: int
    tensorflow: str
    seed: int
    epochs: int
    simulated: bool
    recordings: Counts
    windows: Counts
    history: History
    accuracy: Sides
    cross_entropy: Sides
    keras_bytes: int
    variants: list[Variant]
    pruning: list[Pruned]
    gesture: Gesture

    def variant(self, name: str) -> Variant:
        """The variant called `name`. Raises HilError if there is none."""
        for each in self.variants:
            if each.name == name:
                return each
        raise HilError(f"{self.model} has no variant {name}; run: hil quantize {self.model}")


def load(path: Path) -> Paper:
    """Read `path`. Raises HilError if it cannot be read, or holds something else."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Paper)
    except (OSError, msgspec.MsgspecError) as error:
        raise HilError(
            f"{path}: cannot be read as figures of the paper ({error}); draw it again: make paper"
        ) from error


def encode(paper: Paper) -> str:
    """Return the text of paper.json, a line for each figure, but not for each number of a list."""
    fields = msgspec.to_builtins(paper)
    lines = (f"  {_json(key)}: {_json(value)}" for key, value in fields.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
