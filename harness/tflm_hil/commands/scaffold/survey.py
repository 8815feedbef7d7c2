"""What a folder of recordings says of itself: its channels, their values, the sample rate and the labels."""

from __future__ import annotations

import csv
import glob
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

import numpy as np

from tflm_hil.errors import HilError
from tflm_hil.recordings.manifest import MANIFEST, Files, Manifest, load_manifest

LABEL_COLUMNS = ("label", "labels", "class", "gesture", "activity")
TIMES = re.compile(r"t|time|timestamp|(time|t|timestamp)[ _]?[(\[]?(?P<unit>s|ms|us)[)\]]?", re.IGNORECASE)
GUESSED_RATE_HZ = 50.0
TimeUnit = Literal["s", "ms", "us"]
_UNITS_S: dict[TimeUnit, float] = {"s": 1.0, "ms": 1e-3, "us": 1e-6}


@dataclass(frozen=True)
class Signal:
    """A channel: its name, its `unit` if the recordings say it, and what its values are."""

    name: str
    unit: str | None
    lowest: float
    highest: float
    whole: bool


@dataclass(frozen=True)
class Survey:
    """A set of recordings; `manifest` is the recordings.toml that it still needs, None if it has one.

    `files` are the data, relative to the folder; `guesses` say what nobody has said.
    """

    folder: Path
    signals: tuple[Signal, ...]
    sample_rate_hz: float
    labels: tuple[str, ...]
    files: tuple[str, ...]
    manifest: Manifest | None
    guesses: tuple[str, ...]


@dataclass(frozen=True)
class _Table:
    """A file: its columns, rows of cells, and if it says so, the units and the rate."""

    columns: tuple[str, ...]
    rows: list[list[str]]
    units: tuple[str | None, ...]
    sample_rate_hz: float | None = None


def survey(folder: Path) -> Survey:
    """Look at the recordings in `folder`.

    Raises:
        HilError: it is none, has no recordings, or one of them cannot be read.
    """
    if not folder.is_dir():
        raise HilError(f"{folder}: no such folder; name one with recordings")
    if (folder / MANIFEST).is_file():
        return _with_manifest(folder, load_manifest(folder))
    found = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in (".csv", ".json")]
    if not found:
        raise HilError(f"{folder}: has no {MANIFEST}, and no .csv or .json file; name a folder with recordings")
    names = [path.relative_to(folder).as_posix() for path in found]
    tables = [_read(path, None) for path in found]
    columns = tables[0].columns
    for path, table in zip(found, tables, strict=True):
        if table.columns != columns:
            raise HilError(
                f"{path}: its columns are {', '.join(table.columns)}, those of {names[0]} are {', '.join(columns)}; "
                f"write a {MANIFEST} that says what to read"
            )
    times = next((name for name in columns if TIMES.fullmatch(name)), None)
    label_column = next((name for name in columns if name.lower() in LABEL_COLUMNS), None)
    rate, unit, guesses = _rate(tables, times)
    file_labels = [None if label_column else _file_label(name) for name in names]
    manifest = Manifest(
        schema="hil-recordings/1",
        sample_rate_hz=rate,
        files=[
            Files(path=glob.escape(name), label=label, label_column=label_column)
            for name, label in zip(names, file_labels, strict=True)
        ],
        time_column=times,
        time_unit=unit,
    )
    return _survey(folder, manifest, names, tables, guesses, write=True)


def _with_manifest(folder: Path, manifest: Manifest) -> Survey:
    names = []
    for files in manifest.files:
        if (folder / files.path).is_file():
            names.append(files.path)
        else:
            names += sorted(glob.glob(files.path, root_dir=folder))  # noqa: PTH207 (takes any pattern)
    if not names:
        raise HilError(f"{folder / MANIFEST}: no file matches its paths; add one or correct them")
    tables = [_read(folder / name, manifest.names) for name in names]
    return _survey(folder, manifest, names, tables, (), write=False)


def _survey(
    folder: Path,
    manifest: Manifest,
    names: Sequence[str],
    tables: Sequence[_Table],
    guesses: Iterable[str],
    write: bool,
) -> Survey:
    label_columns = {files.label_column for files in manifest.files}
    aside = {manifest.time_column, *label_columns} | {column for column in tables[0].columns if TIMES.fullmatch(column)}
    channels = {column.name or name: (name, column.unit) for name, column in manifest.columns.items()}
    signals = []
    for column, unit in zip(tables[0].columns, tables[0].units, strict=True):
        if column in aside or (channels and column not in channels):
            continue
        values = _values(column, tables)
        if values is None:
            continue
        name, said = channels.get(column, (column, None))
        whole = bool((values == np.rint(values)).all() and np.abs(values).max() <= np.iinfo(np.int16).max)
        signals.append(Signal(name, said or unit, float(values.min()), float(values.max()), whole))
    if not signals:
        raise HilError(f"{folder / names[0]}: has no column of numbers; correct its header, or name another folder")
    labels = {files.label for files in manifest.files} | _labels(label_columns, tables)
    return Survey(
        folder,
        tuple(signals),
        manifest.sample_rate_hz,
        tuple(sorted(label for label in labels if label)),
        tuple(dict.fromkeys(names)),
        manifest if write else None,
        tuple(guesses),
    )


def _labels(columns: Iterable[str | None], tables: Sequence[_Table]) -> set[str | None]:
    return {
        row[table.columns.index(column)]
        for column in columns
        if column
        for table in tables
        if column in table.columns
        for row in table.rows
    }


def _values(column: str, tables: Sequence[_Table]) -> np.ndarray[tuple[int], np.dtype[np.float64]] | None:
    """All values of a column; None if it holds texts."""
    try:
        return np.array(
            [float(row[at]) for table in tables for at in [table.columns.index(column)] for row in table.rows]
        )
    except ValueError:
        return None


def _rate(tables: Sequence[_Table], times: str | None) -> tuple[float, TimeUnit, tuple[str, ...]]:
    """The sample rate, the unit of the times, and what of it is a guess."""
    if said := tables[0].sample_rate_hz:
        return said, "s", ()
    if times is None or (values := _values(times, tables[:1])) is None or len(values) < 2:
        return GUESSED_RATE_HZ, "s", (f"sample_rate_hz = {GUESSED_RATE_HZ:g}, because no column holds times",)
    match = TIMES.fullmatch(times)
    period = float(np.median(np.diff(values)))
    if period <= 0:
        return GUESSED_RATE_HZ, "s", (f"sample_rate_hz = {GUESSED_RATE_HZ:g}, because {times} does not rise",)
    if match and match["unit"]:
        unit = cast(TimeUnit, match["unit"].lower())
        return round(1 / (period * _UNITS_S[unit]), 3), unit, ()
    # Sensors like these are read 5 to 5,000 times a second.
    unit = next((unit for unit, seconds in _UNITS_S.items() if 5 <= 1 / (period * seconds) <= 5000), "s")
    rate = round(1 / (period * _UNITS_S[unit]), 3)
    return rate, unit, (f"time_unit = {unit}, so that {times} says {rate:g} Hz",)


def _file_label(name: str) -> str:
    """What a file shows, by its folder or its name without a number: walk/3.csv, walk_3.csv, walk.8a7b.json."""
    path = Path(name)
    if len(path.parts) > 1:
        return path.parts[-2]
    return re.sub(r"[ ._-]*\d*$", "", path.stem.split(".")[0]) or path.stem


def _read(path: Path, names: Sequence[str] | None) -> _Table:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise HilError(f"{path}: cannot be read as UTF-8 ({error}); save it as CSV in UTF-8") from error
    if path.suffix.lower() == ".json":
        return _read_json(path, text)
    rows = [[cell.strip() for cell in row] for row in csv.reader(text.splitlines()) if any(map(str.strip, row))]
    header = tuple(names or (rows.pop(0) if rows else ()))
    if not rows:
        raise HilError(f"{path}: has no rows; record it again, or take it out of the folder")
    for row in rows:
        if len(row) != len(header):
            raise HilError(f"{path}: has a row of {len(row)} cells below {len(header)} columns; correct it")
    return _Table(header, rows, (None,) * len(header))


def _read_json(path: Path, text: str) -> _Table:
    try:
        payload = json.loads(text)["payload"]
        sensors = payload["sensors"]
        rows = [[str(value) for value in (row if isinstance(row, list) else [row])] for row in payload["values"]]
        units = tuple(None if sensor.get("units") in (None, "", "N/A") else str(sensor["units"]) for sensor in sensors)
        columns = tuple(str(sensor["name"]) for sensor in sensors)
        return _Table(columns, rows, units, 1000 / float(payload["interval_ms"]))
    except (ValueError, KeyError, TypeError, AttributeError, ZeroDivisionError) as error:
        raise HilError(
            f"{path}: is not in Edge Impulse's data acquisition format ({error}); export it again, or as CSV"
        ) from error
