"""From a folder with recordings.toml to recordings in the sensor's raw counts."""

from __future__ import annotations

import glob
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.errors import HilError
from harness.recordings.channel import Channel
from harness.recordings.csv_file import Layout, read_csv
from harness.recordings.manifest import MANIFEST, Column, Manifest, load_manifest
from harness.recordings.units import factor
from harness.recordings.windows import window_count, window_labels

FULL_SCALE = 32768
# Full scale itself is written rounded: 2000 dps are 32,800 counts of an MPU6050.
MARGIN = 1.01

_TIME_UNITS_S = {"s": 1.0, "ms": 1e-3, "us": 1e-6}


@dataclass(frozen=True)
class Recording:
    """One recorded session: `samples` are raw counts [rows, channels].

    `name` is unique within its folder and stable: `punch/017` is the 17th recording of punch.csv, `continuous_1` the
    only one of continuous_1.csv. `label` holds for all rows; `row_labels`, where the file has them, row by row.
    """

    name: str
    file: Path
    label: str | None
    samples: NDArray[np.int16]
    row_labels: list[str | None] | None
    sample_rate_hz: float

    def window_labels(self, window: int, stride: int) -> list[str | None]:
        """The true label of each window: the recording's, or the one that more than half of the rows carry, or None."""
        if self.row_labels is None:
            return [self.label] * window_count(len(self.samples), window, stride)
        return window_labels(self.row_labels, window, stride)

    def only(self, index: int, window: int, stride: int) -> Recording:
        """Window number `index` as a recording. Raises HilError where there is no such window."""
        last = window_count(len(self.samples), window, stride) - 1
        if not 0 <= index <= last:
            raise HilError(f"--window={index}: {self.name} has the windows 0 to {last}")
        rows = slice(index * stride, index * stride + window)
        return replace(self, samples=self.samples[rows], row_labels=self.row_labels and self.row_labels[rows])


def load_recordings(directory: Path, channels: Sequence[Channel], minimum_rows: int = 1) -> list[Recording]:
    """All recordings that `directory`/recordings.toml lists, in its order, as counts of `channels`.

    Values are rounded to the nearest count. What is beyond the 16 bits of the sensor is clipped, as the sensor does,
    and warned of, as a wrong unit looks the same. Raises HilError for a wrong manifest or file, and for a recording of
    less than `minimum_rows` rows (pass the model's window).
    """
    manifest = load_manifest(directory)
    origin = directory / MANIFEST
    sources = [manifest.columns.get(channel.name, Column()) for channel in channels]
    unknown = sorted(set(manifest.columns) - {channel.name for channel in channels})
    if unknown:
        raise HilError(f"{origin}: [columns] maps {', '.join(unknown)}, which the model does not have; correct it")
    scale = np.array([_counts_per_value(origin, *pair) for pair in zip(channels, sources, strict=True)])
    columns = [source.name or channel.name for channel, source in zip(channels, sources, strict=True)]

    recordings: dict[str, Recording] = {}
    beyond = np.zeros(len(channels), np.int64)
    for path, label, layout in _files(directory, manifest, columns):
        stem = path.relative_to(directory).with_suffix("").as_posix()
        blocks = read_csv(path, layout)
        for number, block in enumerate(blocks, start=1):
            if len(block.values) < minimum_rows:
                raise HilError(
                    f"{path}:{block.line}: the recording has {len(block.values)} rows, a window takes {minimum_rows}; "
                    "record longer or delete it"
                )
            name = f"{stem}/{number:03d}" if len(blocks) > 1 else stem
            if name in recordings:
                raise HilError(f"{origin}: two recordings are called {name}; list each file once, or rename one")
            beyond += _beyond(block.values, scale)
            recordings[name] = Recording(
                name=name,
                file=path,
                label=label,
                samples=_counts(block.values, scale),
                row_labels=block.labels if layout.label_column else None,
                sample_rate_hz=manifest.sample_rate_hz,
            )
    for channel, count in zip(channels, beyond, strict=True):
        if count:
            warnings.warn(
                f"{origin}: {count:,} values of {channel.name} are beyond what the sensor can measure "
                f"({FULL_SCALE / channel.lsb_per_unit:g} {channel.unit}) and are clipped; is their unit right?",
                stacklevel=2,
            )
    return list(recordings.values())


def _files(directory: Path, manifest: Manifest, columns: list[str]) -> list[tuple[Path, str | None, Layout]]:
    found: list[tuple[Path, str | None, Layout]] = []
    for files in manifest.files:
        # A name is not a pattern where it is that of a file; and unlike Path.glob, this one takes any pattern.
        matches = glob.glob(files.path, root_dir=directory)  # noqa: PTH207
        names = [files.path] if (directory / files.path).is_file() else sorted(matches)
        if not names:
            raise HilError(f"{directory / MANIFEST}: no file matches path {files.path!r}; add one or correct it")
        layout = Layout(
            columns=columns,
            sample_rate_hz=manifest.sample_rate_hz,
            names=manifest.names,
            rows=files.rows,
            label_column=files.label_column,
            time_column=manifest.time_column,
            time_unit_s=_TIME_UNITS_S[manifest.time_unit],
        )
        found.extend((directory / name, files.label, layout) for name in names)
    return found


def _counts_per_value(origin: Path, channel: Channel, source: Column) -> float:
    unit = source.unit or channel.unit
    if unit == "raw":
        return 1.0
    try:
        return factor(unit, channel.unit) * channel.lsb_per_unit
    except ValueError as error:
        raise HilError(f"{origin}: [columns] {channel.name}: {error}; correct the unit") from error


def _beyond(values: NDArray[np.float64], scale: NDArray[np.float64]) -> NDArray[np.int64]:
    """How many values of each channel no sensor of 16 bits gives."""
    with np.errstate(over="ignore"):
        return np.asarray(np.count_nonzero(np.abs(values * scale) > MARGIN * FULL_SCALE, axis=0), np.int64)


def _counts(values: NDArray[np.float64], scale: NDArray[np.float64]) -> NDArray[np.int16]:
    limits = np.iinfo(np.int16)
    with np.errstate(over="ignore"):
        counts = np.rint(values * scale)
    return np.clip(counts, limits.min, limits.max).astype(np.int16)
