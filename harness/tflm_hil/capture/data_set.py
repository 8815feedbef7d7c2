"""A data set that grows by one gesture at a time: a CSV file for each label, and recordings.toml."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from tflm_hil.capture.label_file import LabelFile
from tflm_hil.capture.setup import Setup, Values
from tflm_hil.errors import HilError, InfrastructureError
from tflm_hil.files import write_text
from tflm_hil.recordings.manifest import MANIFEST, Files, Manifest, Sensor, load_manifest

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_SAME = ("name", "accelerometer_range_g", "gyroscope_range_dps", "offsets_removed")


def check_name(option: str, name: str) -> None:
    """Raise HilError unless `name`, the value of `option`, is fit for the name of a file everywhere."""
    if not _NAME.fullmatch(name):
        raise HilError(f"--{option}={name}: use letters, digits, - and _, and begin with a letter or digit")


class DataSet:
    """The recordings of `label` in `folder`, which need not be there.

    Raises HilError for a label that is none, or that differs from a known one only in upper and lower case, and for a
    folder that holds something else.
    """

    def __init__(self, folder: Path, label: str) -> None:
        check_name("label", label)
        self.file = folder / f"{label}.csv"
        self._folder = folder
        self._label = label
        self._manifest = load_manifest(folder) if (folder / MANIFEST).exists() else None
        self._labels: LabelFile | None = None
        self._setup: Setup | None = None
        self._captured = 0
        known = [files.label for files in self._manifest.files if files.label] if self._manifest else []
        known += [path.stem for path in sorted(folder.glob("*.csv"))]
        for other in known:
            if other != label and other.casefold() == label.casefold():
                raise HilError(f"--label={label}: {folder} has {other}; use that, or a name of its own")
        if self._manifest and self._manifest.sensor is None:
            raise HilError(
                f"{folder / MANIFEST}: has no [sensor], so it was not captured; choose another folder with --set"
            )
        if self._manifest and (listed := self._listed(self._manifest)) and listed.label != label:
            raise HilError(f"{folder / MANIFEST}: {self.file.name} has another label there; choose another --label")

    @property
    def summary(self) -> str:
        """What has become of it, for people."""
        if self._labels is None:
            return f"{self._label}: nothing was captured"
        there = self._labels.count
        return f"{self._label}: {self._captured} captured, {there} in {self.file}"

    def check(self, setup: Setup) -> None:
        """Raise HilError if what is there was recorded otherwise."""
        if self._manifest is None:
            return
        was, now = self._manifest.sensor, setup.table
        pairs = [("sample_rate_hz", self._manifest.sample_rate_hz, setup.rate_hz)]
        pairs += [(f"[sensor] {name}", getattr(was, name), getattr(now, name)) for name in _SAME]
        for key, before, after in pairs:
            if before != after:
                raise HilError(
                    f"{self._folder / MANIFEST}: {key} is {before}, but the board captures with {after};"
                    " set it up alike, or choose another folder with --set"
                )

    def add(self, setup: Setup, gesture: Values, say: Callable[[str], None]) -> None:
        """Write a gesture, so that it is there whatever happens next.

        `say` is told what an earlier capture has left behind. Raises InfrastructureError if it cannot be written.
        """
        self._setup = setup
        if self._labels is None:
            self._labels = LabelFile(self.file, setup.decimals, len(gesture), say)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._labels.add(gesture)
        except OSError as error:
            raise InfrastructureError(
                f"cannot write {self.file}: {error.strerror}; free some space or choose another folder"
            ) from error
        self._captured += 1
        self.close()

    def close(self) -> None:
        """Have the manifest name the file, if an interrupt has come before that was done."""
        if self._setup is not None and self.file.exists():
            self._list(self._setup)

    def _list(self, setup: Setup) -> None:
        """Have the manifest name the file, which is there by now."""
        path = self._folder / MANIFEST
        if self._manifest is None:
            write_text(path, _head(setup) + _entry(self._label))
        elif self._listed(self._manifest) is None:
            # Whoever has edited it keeps his comments: a table may always follow.
            write_text(path, f"{path.read_text(encoding='utf-8').rstrip()}\n{_entry(self._label)}")
        else:
            return
        self._manifest = load_manifest(self._folder)

    def _listed(self, manifest: Manifest) -> Files | None:
        return next((files for files in manifest.files if files.path == self.file.name), None)


def _head(setup: Setup) -> str:
    captured = datetime.now(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
    sensor: Sensor = setup.table
    return f"""\
schema = "hil-recordings/1"
description = "Captured with hil capture; accelerations in g, angular rates in dps"
sample_rate_hz = {float(setup.rate_hz)!r}

[sensor]
name = {_text(sensor.name)}
accelerometer_range_g = {_plain(sensor.accelerometer_range_g)}
gyroscope_range_dps = {_plain(sensor.gyroscope_range_dps)}
offsets = [{", ".join(map(_plain, sensor.offsets))}]
offsets_removed = {str(sensor.offsets_removed).lower()}
captured = {captured}
"""


def _entry(label: str) -> str:
    return f'\n[[files]]\npath = "{label}.csv"\nlabel = "{label}"\n'


def _text(value: str) -> str:
    return msgspec.json.encode(value).decode()  # A basic string of TOML is one of JSON.


def _plain(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(float(value))
