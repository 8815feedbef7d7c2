"""models/<name>/model.toml: what a model is, what it is fed with and what it may cost."""

import hashlib
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from harness.errors import HilError
from harness.recordings.channel import Channel
from harness.toml_file import read_toml

__all__ = ["Budget", "Channel", "Model", "Variant", "load_model", "load_models"]

# Names become directories, test ids and keys of reports.
_Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
_Count = Annotated[int, Meta(ge=1)]
# The wire protocol's HELLO carries these as u16.
_Rows = Annotated[int, Meta(ge=1, le=65535)]


class Budget(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The most that a variant may take on one PlatformIO environment. What is None is not limited."""

    instructions: _Count | None = None
    flash_bytes: _Count | None = None
    ram_bytes: _Count | None = None
    arena_bytes: _Count | None = None
    stack_bytes: _Count | None = None


class Variant(msgspec.Struct, frozen=True):
    """One .tflite of a model. `budgets` is keyed by PlatformIO environment, for instance `stm32f4_aot`."""

    name: str
    path: Path
    budgets: dict[str, Budget]

    @property
    def sha256(self) -> bytes:
        """Digest of the .tflite as it is now, 32 bytes. Raises HilError where it cannot be read."""
        try:
            return hashlib.sha256(self.path.read_bytes()).digest()
        except OSError as error:
            raise HilError(f"{self.path}: cannot be read ({error.strerror}); restore the file") from error


class Model(msgspec.Struct, frozen=True):
    """A model, with every path absolute.

    `labels` are in the order of the network's outputs. `window` and `stride` are in rows of `channels`, which arrive
    `sample_rate_hz` times a second. `recordings` is the folder of the recordings that it is tested with.
    """

    name: str
    description: str
    labels: list[str]
    window: int
    stride: int
    sample_rate_hz: float
    channels: list[Channel]
    recordings: Path
    variants: dict[str, Variant]
    directory: Path


class _VariantTable(msgspec.Struct, forbid_unknown_fields=True):
    file: Annotated[str, Meta(min_length=1)]
    budgets: dict[str, Budget] = {}


class _ModelFile(msgspec.Struct, forbid_unknown_fields=True):
    schema: Literal["hil-model/1"]
    name: _Name
    labels: Annotated[list[Annotated[str, Meta(min_length=1)]], Meta(min_length=1)]
    window: _Rows
    stride: _Rows
    sample_rate_hz: Annotated[float, Meta(gt=0)]
    recordings: Annotated[str, Meta(min_length=1)]
    channels: Annotated[list[Channel], Meta(min_length=1, max_length=255)]
    variants: Annotated[dict[_Name, _VariantTable], Meta(min_length=1)]
    description: str = ""

    def __post_init__(self) -> None:
        for key, names in (("labels", self.labels), ("channels", [channel.name for channel in self.channels])):
            if len(set(names)) < len(names):
                raise ValueError(f"{key} must differ from each other")


def load_model(directory: Path, recordings_root: Path) -> Model:
    """Read `directory`/model.toml; its recordings are the folder of that name in `recordings_root`.

    Raises HilError naming the file and the key where the manifest is wrong or a .tflite is missing.
    """
    path = directory / "model.toml"
    content = read_toml(path, _ModelFile)
    directory = directory.resolve()
    variants = {}
    for name, table in content.variants.items():
        file = directory / table.file
        if not file.is_file():
            raise HilError(
                f"{path}: [variants.{name}] names {table.file}, which is not there; add it or correct `file`"
            )
        variants[name] = Variant(name, file, table.budgets)
    return Model(
        name=content.name,
        description=content.description,
        labels=content.labels,
        window=content.window,
        stride=content.stride,
        sample_rate_hz=content.sample_rate_hz,
        channels=content.channels,
        recordings=recordings_root.resolve() / content.recordings,
        variants=variants,
        directory=directory,
    )


def load_models(root: Path) -> dict[str, Model]:
    """Every model of the project at `root`: models/*/model.toml, by name and in its order. Raises HilError."""
    models: dict[str, Model] = {}
    for path in sorted((root / "models").glob("*/model.toml")):
        model = load_model(path.parent, root / "recordings")
        if model.name in models:
            raise HilError(
                f"{path}: the name {model.name!r} is taken by {models[model.name].directory}; choose another"
            )
        models[model.name] = model
    return dict(sorted(models.items()))
