"""models/NAME/training.json: what was trained, on what, and how well."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Literal

import msgspec

from tflm_hil.errors import HilError
from tflm_hil.models.manifest import Model

FILE = "training.json"


class Sides(msgspec.Struct, frozen=True):
    """Something of the training side and of the validation side."""

    training: Any
    validation: Any


class Training(msgspec.Struct, frozen=True):
    """The content of training.json.

    `epochs` are those that were run, `best_epoch` the one whose weights were kept, counted from 1. `recordings` is the
    folder, relative to the project if it lies in it. `files` are sizes in bytes. `split` has the names of recordings,
    `windows` their labelled windows. `history` has lists of one figure an epoch: loss, accuracy, val_loss and
    val_accuracy. `accuracy` and `cross_entropy` (in nats) are those of the weights that were kept. `confusion` counts
    the validation windows, a row for each true label and a column for each answer.
    """

    schema: Literal["hil-training/1"]
    model: str
    arch: str
    seed: int
    epochs: int
    best_epoch: int
    parameters: int
    tensorflow: str
    labels: list[str]
    window: int
    stride: int
    recordings: str
    files: dict[str, int]
    keras_sha256: str
    split: Sides
    windows: Sides
    history: dict[str, list[float]]
    accuracy: Sides
    cross_entropy: Sides
    confusion: list[list[int]]


def encode(training: Training) -> bytes:
    """Return the text of training.json."""
    return json_text(msgspec.to_builtins(training)).encode()


def json_text(value: Any) -> str:
    """Return `value` as JSON with a line for each key, but none for each of the hundreds of numbers in a list."""
    return f"{_lines(value, '')}\n"


def _lines(value: Any, indent: str) -> str:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        items = [_lines(item, indent + "  ") for item in value]
        opened, closed = "[]"
    elif isinstance(value, dict) and value:
        items = [f"{json.dumps(key)}: {_lines(item, indent + '  ')}" for key, item in value.items()]
        opened, closed = "{}"
    else:
        return json.dumps(value, ensure_ascii=False)
    inner = f"\n{indent}  "
    return f"{opened}{inner}{f',{inner}'.join(items)}\n{indent}{closed}"


def read_training(model: Model) -> Training:
    """Return what training.json of `model` says, and check that it goes with its Keras file and its model.toml.

    Raises HilError, which names the file and what to do, if it is missing or wrong, or if the three contradict each
    other.
    """
    path, keras = model.directory / FILE, keras_file(model)
    again = f"train again: hil train {model.name}"
    try:
        content = path.read_bytes()
        weights = keras.read_bytes()
    except OSError as error:
        raise HilError(f"{error.filename}: cannot be read ({error.strerror}); {again}") from error
    try:
        training = msgspec.json.decode(content, type=Training)
    except msgspec.MsgspecError as error:
        raise HilError(f"{path}: is not what `hil train` writes ({error}); {again}") from error
    if hashlib.sha256(weights).hexdigest() != training.keras_sha256:
        raise HilError(f"{keras}: is not the network that {FILE} tells of; {again}")
    for key, there, trained in (
        ("labels", model.labels, training.labels),
        ("window", model.window, training.window),
    ):
        if there != trained:
            raise HilError(f"{model.directory / 'model.toml'}: {key} is {there}, but {trained} was trained; {again}")
    return training


def keras_file(model: Model) -> Path:
    """Return the path of the network as Keras has it."""
    return model.directory / f"{model.name}.keras"
