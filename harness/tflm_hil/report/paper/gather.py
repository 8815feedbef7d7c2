"""The figures of a model that `hil train` and `hil quantize` have made."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import msgspec

from tflm_hil.errors import HilError
from tflm_hil.models.manifest import Model
from tflm_hil.recordings import Recording, load_recordings
from tflm_hil.recordings.manifest import load_manifest
from tflm_hil.report.paper.figures import Gesture, Paper, Trace
from tflm_hil.training import quantization_file, training_file
from tflm_hil.training.quantization_file import Quantization
from tflm_hil.training.training_file import Training

DIGITS = 4
"""Of what is drawn: more cannot be seen."""

_File = TypeVar("_File", Training, Quantization)


def gather(model: Model) -> Paper:
    """Return the figures of `model`, with one recording of its first label.

    Raises:
        HilError: training.json or quantization.json is missing or wrong, or they are of different networks, with the
            command that writes it; the model takes no windows, or no recording has its first label.
    """
    train, quantize = f"hil train {model.name}", f"hil quantize {model.name}"
    training = _read(model.directory / training_file.FILE, Training, train)
    quantization = _read(model.directory / quantization_file.FILE, Quantization, quantize)
    if quantization.keras_bytes not in training.files.values():
        raise HilError(f"{model.directory / quantization_file.FILE}: is of an earlier network; run again: {quantize}")
    if model.recordings is None:
        raise HilError(f"{model.directory / 'model.toml'}: names no recordings, which Figures 1 and 2 are drawn from")
    sides = training.split
    figures = {
        **msgspec.to_builtins(training),
        **msgspec.to_builtins(quantization),
        "schema": "hil-paper/1",
        "inputs": model.window * len(model.channels),
        "simulated": load_manifest(model.recordings).simulated,
        "recordings": {"training": len(sides.training), "validation": len(sides.validation)},
        "history": {name: _rounded(values) for name, values in training.history.items()},
        "gesture": msgspec.to_builtins(_gesture(model)),
    }
    try:
        return msgspec.convert(figures, Paper)
    except msgspec.ValidationError as error:
        raise HilError(f"{model.directory}: its figures are wrong ({error}); run again: {train}, {quantize}") from error


def _read(path: Path, kind: type[_File], command: str) -> _File:
    if not path.is_file():
        raise HilError(f"{path}: is missing; run: {command}")
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.MsgspecError) as error:
        raise HilError(f"{path}: cannot be read ({error}); run again: {command}") from error


def _gesture(model: Model) -> Gesture:
    assert model.recordings is not None
    label = model.labels[0]
    found = next(
        (part for each in load_recordings(model.recordings, model.channels) if (part := _part(each, model))), None
    )
    if found is None:
        raise HilError(f"{model.recordings}: no recording is of {label!r}, which Figures 1 and 2 show; record one")
    traces = [
        Trace(channel.name, channel.unit, _rounded((found.samples[:, at] / channel.lsb_per_unit).tolist()))
        for at, channel in enumerate(model.channels)
    ]
    return Gesture(label, found.name, found.sample_rate_hz, traces)


def _part(recording: Recording, model: Model) -> Recording | None:
    """The recording if the first label holds for all of it, else its first window with that label; None without one."""
    label = model.labels[0]
    if recording.row_labels is None:
        return recording if recording.label == label else None
    labels = recording.window_labels(model.window, model.stride)
    return recording.only(labels.index(label), model.window, model.stride) if label in labels else None


def _rounded(values: list[float]) -> list[float]:
    return [round(value, DIGITS) for value in values]
