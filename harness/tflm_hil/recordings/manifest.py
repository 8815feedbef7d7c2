"""recordings/<name>/recordings.toml: which files hold the recordings, and how to read their rows."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from tflm_hil.recordings.sensors import counts_per_unit
from tflm_hil.toml_file import read_toml

MANIFEST = "recordings.toml"
_Text = Annotated[str, Meta(min_length=1)]


class Column(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The source of a channel: the column `name` of the CSV file, with values in `unit`.

    None stands for the name and the unit of the channel. The unit `raw` means counts of the sensor.
    """

    name: _Text | None = None
    unit: _Text | None = None


class Files(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The files that match `path`, a glob pattern that is absolute or relative to the manifest.

    `label` is the label of all rows; `label_column` names the column that has a label per row (empty: no label). `rows`
    splits a file into recordings of that many rows; without it, blank lines separate recordings.
    """

    path: _Text
    label: _Text | None = None
    label_column: _Text | None = None
    rows: Annotated[int, Meta(ge=1)] | None = None

    def __post_init__(self) -> None:
        if self.label and self.label_column:
            raise ValueError("label and label_column exclude each other; leave out one of them")


class Sensor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[sensor]: what recorded the files, set to +-`accelerometer_range_g` and +-`gyroscope_range_dps`.

    `name` is a key of sensors.py. `offsets` are what a calibration at rest found, in counts, in the order of the
    channels, and empty if there was none; `offsets_removed` tells whether they were subtracted before the rows were
    written. `captured` is when the first recording was made.
    """

    name: _Text
    accelerometer_range_g: Annotated[float, Meta(gt=0)]
    gyroscope_range_dps: Annotated[float, Meta(gt=0)]
    offsets: Annotated[list[float], Meta(max_length=6)] = []
    offsets_removed: bool = False
    captured: datetime | None = None

    def __post_init__(self) -> None:
        if len(self.offsets) not in (0, 6):
            raise ValueError(f"{len(self.offsets)} offsets; give one for each of the 6 channels, or none")
        for full_scale, unit in ((self.accelerometer_range_g, "g"), (self.gyroscope_range_dps, "dps")):
            counts_per_unit(self.name, full_scale, unit)


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The content of recordings.toml.

    `columns` maps channels of the model to columns of the CSV files; a channel without an entry is read from the column
    of the same name. `names` lists the columns of files without a header. `time_column`, if given, is checked against
    `sample_rate_hz`. `simulated` and `seed` document the origin of the data; the harness does not use them. `sensor` is
    what `hil capture` writes of the sensor.
    """

    schema: Literal["hil-recordings/1"]
    sample_rate_hz: Annotated[float, Meta(gt=0, le=1e9)]
    files: Annotated[list[Files], Meta(min_length=1)]
    description: str = ""
    simulated: bool = False
    seed: int | None = None
    sensor: Sensor | None = None
    columns: dict[str, Column] = {}
    names: Annotated[list[_Text], Meta(min_length=1)] | None = None
    time_column: _Text | None = None
    time_unit: Literal["s", "ms", "us"] = "s"


def load_manifest(directory: Path) -> Manifest:
    """Read `directory`/recordings.toml. Raises HilError, which names the file and the key, if it is wrong."""
    return read_toml(directory / MANIFEST, Manifest)
