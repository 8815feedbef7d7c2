"""recordings/<name>/recordings.toml: which files hold the recordings, and how to read their rows."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

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


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The content of recordings.toml.

    `columns` maps channels of the model to columns of the CSV files; a channel without an entry is read from the column
    of the same name. `names` lists the columns of files without a header. `time_column`, if given, is checked against
    `sample_rate_hz`. `simulated` and `seed` document the origin of the data; the harness does not use them.
    """

    schema: Literal["hil-recordings/1"]
    sample_rate_hz: Annotated[float, Meta(gt=0, le=1e9)]
    files: Annotated[list[Files], Meta(min_length=1)]
    description: str = ""
    simulated: bool = False
    seed: int | None = None
    columns: dict[str, Column] = {}
    names: Annotated[list[_Text], Meta(min_length=1)] | None = None
    time_column: _Text | None = None
    time_unit: Literal["s", "ms", "us"] = "s"


def load_manifest(directory: Path) -> Manifest:
    """Read `directory`/recordings.toml. Raises HilError, which names the file and the key, if it is wrong."""
    return read_toml(directory / MANIFEST, Manifest)
