"""Read the data acquisition format of Edge Impulse: one recording as JSON, with sensors, units and interval.

Edge Impulse documents it at https://docs.edgeimpulse.com (data acquisition format). The signature is not checked: it
says who sent the recording, not whether it is intact.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np

from tflm_hil.errors import HilError
from tflm_hil.recordings.block import Block, Layout, quoted
from tflm_hil.recordings.timing import RATE_TOLERANCE

_FORMAT = "the data acquisition format of Edge Impulse"
_NO_UNIT = ("", "N/A", "n/a", "none", "undefined")


class _Sensor(msgspec.Struct):
    name: str
    units: str = ""


class _Payload(msgspec.Struct):
    interval_ms: float
    sensors: list[_Sensor]
    values: list[list[float] | float]


class _Acquisition(msgspec.Struct):
    payload: _Payload


def is_json(text: str) -> bool:
    """Return whether `text` is JSON rather than CSV: it begins with a brace or a bracket."""
    return text.lstrip().startswith(("{", "["))


def read_acquisition(path: Path, text: str, layout: Layout) -> list[Block]:
    """Return the one recording in `text`, the content of `path`, with the columns in the order of the layout.

    Raises HilError, which names the file, if it is not in this format, lacks a column, has ragged rows, or has another
    interval than the sample rate of the layout.
    """
    try:
        payload = msgspec.json.decode(text, type=_Acquisition).payload
    except msgspec.MsgspecError as error:
        raise HilError(f"{path}: is JSON, but not in {_FORMAT} ({error}); export it again, or as CSV") from None
    for key, value in (
        ("label_column", layout.label_column),
        ("rows", layout.rows),
        ("time_column", layout.time_column),
    ):
        if value is not None:
            raise HilError(f"{path}: {key} in the manifest is for CSV, but this is {_FORMAT}; list the file without it")
    names = [sensor.name for sensor in payload.sensors]
    rows = [row if isinstance(row, list) else [row] for row in payload.values]
    if not rows:
        raise HilError(f"{path}: payload.values is empty; record it again or take it out of the manifest")
    for number, row in enumerate(rows):
        if len(row) != len(names):
            raise HilError(
                f"{path}: payload.values[{number}] has {len(row)} numbers, but there are {len(names)} sensors; "
                "complete or delete the row"
            )
    wanted = [_position(path, names, column) for column in layout.columns]
    rate = 1000.0 / payload.interval_ms if payload.interval_ms > 0 else 0.0
    if abs(rate / layout.sample_rate_hz - 1.0) > RATE_TOLERANCE:
        raise HilError(
            f"{path}: interval_ms is {payload.interval_ms:g}, which is {rate:.4g} Hz, not the "
            f"{layout.sample_rate_hz:g} Hz of the manifest; correct sample_rate_hz, or resample the file"
        )
    values = np.array(rows, dtype=np.float64)[:, wanted]
    if not np.isfinite(values).all():
        raise HilError(f"{path}: payload.values has numbers beyond the range of float64; delete these rows")
    sensors = [payload.sensors[at] for at in wanted]
    units = tuple(None if sensor.units in _NO_UNIT else sensor.units for sensor in sensors)
    return [Block(values, [None] * len(values), 1, number=1, units=units)]


def _position(path: Path, names: list[str], name: str) -> int:
    if names.count(name) != 1:
        raise HilError(
            f"{path}: there {'is no sensor' if name not in names else 'are several sensors'} {name!r} in "
            f"{quoted(', '.join(names))}; correct [columns] in the manifest"
        )
    return names.index(name)
