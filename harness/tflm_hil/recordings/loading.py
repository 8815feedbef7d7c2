"""Load a folder with recordings.toml as recordings in raw counts of the sensor."""

from __future__ import annotations

import glob
import itertools
import os
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tflm_hil.errors import HilError
from tflm_hil.recordings.block import Block, Layout, quoted
from tflm_hil.recordings.channel import Channel
from tflm_hil.recordings.csv_file import read_csv
from tflm_hil.recordings.edge_impulse import is_json, read_acquisition
from tflm_hil.recordings.manifest import MANIFEST, Column, Manifest, load_manifest
from tflm_hil.recordings.suspicion import Suspicions
from tflm_hil.recordings.units import RAW, conversion, same
from tflm_hil.recordings.windows import window_count, window_labels

_TIME_UNITS_S = {"s": 1.0, "ms": 1e-3, "us": 1e-6}


@dataclass(frozen=True)
class Recording:
    """One recorded session: `samples` are raw counts [rows, channels].

    `name` is unique within its folder and stable: `punch/017` is recording 17 of punch.csv, `continuous_1` the only one
    of continuous_1.csv. `label` holds for all rows; `row_labels` has one label per row if the file has them, else None.
    """

    name: str
    file: Path
    label: str | None
    samples: NDArray[np.int16]
    row_labels: list[str | None] | None
    sample_rate_hz: float

    def window_labels(self, window: int, stride: int) -> list[str | None]:
        """Return the true label of each window, or None: the label of the recording, or that of most of its rows."""
        if self.row_labels is None:
            return [self.label] * window_count(len(self.samples), window, stride)
        return window_labels(self.row_labels, window, stride)

    def only(self, index: int, window: int, stride: int) -> Recording:
        """Return window number `index` as a recording. Raises HilError if there is no such window."""
        last = window_count(len(self.samples), window, stride) - 1
        if not 0 <= index <= last:
            raise HilError(f"--window={index}: {self.name} has windows 0 to {last}; choose one of them")
        rows = slice(index * stride, index * stride + window)
        return replace(self, samples=self.samples[rows], row_labels=self.row_labels and self.row_labels[rows])


def load_recordings(directory: Path, channels: Sequence[Channel], minimum_rows: int = 1) -> list[Recording]:
    """Return all recordings that `directory`/recordings.toml lists, in its order, as counts of `channels`.

    Values are rounded to the nearest count and clipped to the 16 bits of the sensor. A recording whose times have holes
    is split: `walk/003.1` is the part before the first hole. Parts with fewer than `minimum_rows` rows are left out.
    Warnings tell about suspicious values, and about recordings that were split or left out.

    Raises HilError if the manifest or a file is wrong, and if a recording has fewer than `minimum_rows` rows (pass the
    window of the model).
    """
    manifest = load_manifest(directory)
    origin = directory / MANIFEST
    sources = [manifest.columns.get(channel.name, Column()) for channel in channels]
    unknown = sorted(set(manifest.columns) - {channel.name for channel in channels})
    if unknown:
        raise HilError(f"{origin}: [columns] names {', '.join(unknown)}, which the model does not have; correct it")
    columns = [source.name or channel.name for channel, source in zip(channels, sources, strict=True)]

    recordings: dict[str, Recording] = {}
    suspicions = Suspicions(channels)
    for path, stem, label, layout in _files(directory, manifest, columns):
        blocks = _read(path, layout)
        kept = [block for block in blocks if _long_enough(path, block, minimum_rows)]
        if not kept:
            raise HilError(
                f"{path}: the times have so many holes that no part has the {minimum_rows} rows of a window; "
                "correct sample_rate_hz or time_unit, or record it again"
            )
        suspicions.note_parts(path, blocks, kept)
        several = blocks[-1].number > 1
        for block in kept:
            name = f"{stem}/{block.number:03d}" if several else stem
            name = name if block.part is None else f"{name}.{block.part}"
            if name in recordings:
                raise HilError(f"{origin}: two recordings are called {name}; list each file once, or rename one")
            counts = _in_counts(origin, channels, sources, block)
            suspicions.note_counts(name, counts)
            recordings[name] = Recording(
                name=name,
                file=path,
                label=label,
                samples=_rounded(counts),
                row_labels=block.labels if layout.label_column else None,
                sample_rate_hz=manifest.sample_rate_hz,
            )
    for suspicion in suspicions.lines():
        warnings.warn(f"{origin}: {suspicion}", stacklevel=2)
    return list(recordings.values())


def by_file(recordings: Sequence[Recording]) -> dict[str, list[Recording]]:
    """Group `recordings` by the name of their file; files of the same name by their path from the common folder."""
    files: dict[Path, list[Recording]] = {}
    for recording in recordings:
        files.setdefault(recording.file.absolute(), []).append(recording)
    alike = Counter(file.name for file in files)
    base = os.path.commonpath([file.parent for file in files]) if files else ""
    return {
        file.name if alike[file.name] == 1 else file.relative_to(base).as_posix(): group
        for file, group in files.items()
    }


def _files(directory: Path, manifest: Manifest, columns: list[str]) -> Iterator[tuple[Path, str, str | None, Layout]]:
    """Each file with the stem of the names of its recordings, its label and its layout."""
    for files in manifest.files:
        # If a file has this very name, it is not a pattern. Unlike Path.glob, glob.glob accepts any pattern.
        matches = [name for name in glob.glob(files.path, root_dir=directory) if name != MANIFEST]  # noqa: PTH207
        candidates = [files.path] if os.path.isfile(directory / files.path) else sorted(matches)  # noqa: PTH113
        names = [name for name in candidates if not (directory / name).is_dir()]
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
        for name in names:
            yield directory / name, _stem(files.path, name), files.label, layout


def _stem(pattern: str, name: str) -> str:
    """The name of a file's recordings: its path from the manifest, or if it is outside, from the pattern's folder."""
    path = Path(name).with_suffix("")
    if not (path.is_absolute() or ".." in path.parts):
        return path.as_posix()
    fixed = itertools.takewhile(lambda part: not glob.has_magic(part), Path(pattern).parts[:-1])
    return path.relative_to(Path(*fixed)).as_posix()


def _read(path: Path, layout: Layout) -> list[Block]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise HilError(f"{path}: cannot be read ({error.strerror}); restore it or correct the manifest") from error
    except UnicodeDecodeError as error:
        raise HilError(f"{path}: is not UTF-8 (byte {error.start}); save it as CSV in UTF-8") from error
    if "\0" in text:
        raise HilError(f"{path}: is not UTF-8, but looks like UTF-16; save it as CSV in UTF-8")
    return read_acquisition(path, text, layout) if is_json(text) else read_csv(path, text, layout)


def _long_enough(path: Path, block: Block, minimum_rows: int) -> bool:
    if len(block.values) >= minimum_rows:
        return True
    if block.part is None:
        raise HilError(
            f"{path}:{block.line}: the recording has {len(block.values)} rows, but a window has {minimum_rows}; "
            "record longer or delete it"
        )
    return False


def _in_counts(
    origin: Path, channels: Sequence[Channel], sources: Sequence[Column], block: Block
) -> NDArray[np.float64]:
    """The values of the block as counts of the sensor, not yet rounded."""
    counts = np.empty_like(block.values)
    for at, (channel, source) in enumerate(zip(channels, sources, strict=True)):
        named = block.units[at] if block.units else None
        if source.unit and named and not same(source.unit, named):
            raise HilError(
                f"{origin}: [columns] {channel.name}: unit is {source.unit!r}, but the file says {quoted(named)!r}; "
                "correct one of them"
            )
        unit = source.unit or named or channel.unit
        try:
            factor, offset = (1.0, 0.0) if unit == RAW else conversion(unit, channel.unit)
        except ValueError as error:
            raise HilError(f"{origin}: [columns] {channel.name}: {error}; correct the unit") from error
        with np.errstate(over="ignore"):
            lsb = 1.0 if unit == RAW else channel.lsb_per_unit
            counts[:, at] = block.values[:, at] * (factor * lsb) + offset * lsb
    return counts


def _rounded(counts: NDArray[np.float64]) -> NDArray[np.int16]:
    limits = np.iinfo(np.int16)
    return np.clip(np.rint(counts), limits.min, limits.max).astype(np.int16)
