"""What is to be trained: a model, described by its model.toml or still to be described, and its recordings."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tflm_hil.commands.scaffold.survey import survey
from tflm_hil.configuration import Configuration
from tflm_hil.errors import HilError
from tflm_hil.models.fit import check_recording
from tflm_hil.models.manifest import Model, load_model
from tflm_hil.models.output import meaning
from tflm_hil.recordings import Channel, Recording, load_recordings
from tflm_hil.recordings.manifest import MANIFEST, load_manifest
from tflm_hil.training.checks import check_labels
from tflm_hil.training.sensing import SensorWishes, channels

WINDOW, STRIDE = 30, 5
"""Those of the paper, in rows."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


@dataclass(frozen=True)
class Wishes:
    """What the user says of the model; None for what model.toml or the defaults say."""

    recordings: str | None = None
    window: int | None = None
    stride: int | None = None
    sensor: SensorWishes = field(default_factory=SensorWishes)


@dataclass(frozen=True)
class Subject:
    """A `model`, of which `new` says that it has no model.toml yet, and the `recordings` of `folder` to train it on."""

    model: Model
    new: bool
    folder: Path
    recordings: Sequence[Recording]


def subject(configuration: Configuration, name: str, wishes: Wishes) -> Subject:
    """Return the model `name` with its recordings.

    Raises HilError if its model.toml is wrong or says something else than `wishes`, if it is no model that can be
    trained, or if the recordings are missing, wrong or do not fit it.
    """
    if not _NAME.fullmatch(name):
        raise HilError(f"{name!r}: a model is a folder in models/; use letters, digits, and . _ - between them")
    directory = configuration.models / name
    if (directory / "model.toml").is_file():
        return _known(configuration, load_model(directory, configuration.recordings, untrained=True), wishes)
    folder = find_recordings(configuration, wishes.recordings or name)
    found = _described(configuration, name, folder, wishes)
    return Subject(found[0], True, folder, found[1])


def find_recordings(configuration: Configuration, name: str) -> Path:
    """Return the folder of recordings that `name` means: a set of the project, or else a path.

    Raises HilError, which lists the sets that there are, if there is none.
    """
    for folder in (configuration.recordings / name, Path(name).expanduser()):
        if (folder / MANIFEST).is_file():
            return folder.resolve()
    sets = ", ".join(sorted(path.parent.name for path in configuration.recordings.glob(f"*/{MANIFEST}")))
    raise HilError(
        f"--recordings={name}: no {MANIFEST} in {configuration.recordings / name} or {name}; "
        + (f"name one of {sets}, or a folder" if sets else "record some: hil capture --port PORT --label LABEL")
    )


def _known(configuration: Configuration, model: Model, wishes: Wishes) -> Subject:
    manifest = model.directory / "model.toml"
    if not model.windowed or model.recordings is None:
        raise HilError(f"{manifest}: has no windows of a sensor, so there is nothing to train it on")
    if model.output is not None and model.output.kind != "classes":
        raise HilError(f'{manifest}: [output] is "{model.output.kind}", and `hil train` trains "classes"')
    for option, wanted, there in (("window", wishes.window, model.window), ("stride", wishes.stride, model.stride)):
        if wanted not in (None, there):
            raise HilError(f"--{option}={wanted}: {manifest} says {option} = {there}; change it there")
    if wishes.sensor != SensorWishes():
        raise HilError(f"{manifest}: has the sensor's channels; change them there, and leave out the options")
    check_labels(manifest, model.labels)
    folder = find_recordings(configuration, wishes.recordings) if wishes.recordings else model.recordings
    recordings = load_recordings(folder, model.channels, model.window)
    for recording in recordings:
        check_recording(model, recording)
    return Subject(model, False, folder, recordings)


def _described(
    configuration: Configuration, name: str, folder: Path, wishes: Wishes
) -> tuple[Model, Sequence[Recording]]:
    manifest = load_manifest(folder)
    window, stride = wishes.window or WINDOW, wishes.stride or STRIDE
    found = channels(folder, survey(folder).signals, manifest.sensor, wishes.sensor)
    recordings = load_recordings(folder, found, window)
    labels = _labels(recordings)
    check_labels(folder / MANIFEST, labels)
    try:
        meaning(None, labels)
    except ValueError as error:
        raise HilError(f"{folder / MANIFEST}: {error}; call it something else") from error
    directory = configuration.models / name
    model = Model(
        name=name,
        description=_description(labels, found, window / manifest.sample_rate_hz),
        labels=labels,
        window=window,
        stride=stride,
        sample_rate_hz=manifest.sample_rate_hz,
        channels=found,
        recordings=folder,
        variants={},
        directory=directory,
    )
    return model, recordings


def recordings_key(configuration: Configuration, model: Model) -> str:
    """Return what model.toml calls the folder of its recordings."""
    folder = model.recordings
    assert folder is not None, "a model without recordings was trained"
    if folder.is_relative_to(configuration.recordings):
        return folder.relative_to(configuration.recordings).as_posix()
    if folder.is_relative_to(configuration.root):
        return Path(os.path.relpath(folder, model.directory)).as_posix()
    return str(folder)


def _labels(recordings: Sequence[Recording]) -> list[str]:
    """All labels, in the order in which they appear."""
    return list(
        dict.fromkeys(
            label
            for recording in recordings
            for label in (recording.row_labels if recording.row_labels is not None else [recording.label])
            if label is not None
        )
    )


def _description(labels: Sequence[str], found: Sequence[Channel], seconds: float) -> str:
    names = f"{', '.join(labels[:-1])} or {labels[-1]}"
    return f"{names}, by {seconds:.3g} s of the {len(found)} channels of {found[0].sensor}"
