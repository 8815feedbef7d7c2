"""What a project says of itself: hil.toml, or [tool.tflm-hil] in pyproject.toml."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from tflm_hil.errors import HilError
from tflm_hil.toml_file import decode_toml, fit, read_toml

FILE = "hil.toml"
SHARED_FILE = "pyproject.toml"
TABLE = "tflm-hil"
HEADER = f"[tool.{TABLE}]"
PLATFORMIO_FILE = "platformio.ini"

_Text = Annotated[str, Meta(min_length=1)]


class ApplicationTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[application]: a program of the user's own, built for `target`, that runs `variant` of the model in `model`.

    `environment` of the project's platformio.ini builds it, or `elf` is there already.
    """

    target: _Text
    model: _Text
    variant: _Text
    environment: _Text | None = None
    elf: _Text | None = None

    def __post_init__(self) -> None:
        if (self.environment is None) == (self.elf is None):
            raise ValueError("name either the environment of platformio.ini that builds it, or its elf file")


class ConfigurationTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the file may say. Folders are relative to the one that it is in."""

    schema: Literal["hil-project/1"]
    models: _Text = "models"
    recordings: _Text = "recordings"
    targets: _Text = "targets"
    default_target: _Text | None = None
    default_engine: _Text | None = None
    application: ApplicationTable | None = None


@dataclass(frozen=True)
class Configuration:
    """A project: its `root`, the `file` that configures it, if there is one, and what that says. Paths are absolute.

    `default_target` and `default_engine` are None if the project leaves them to the harness.
    """

    root: Path
    file: Path | None
    models: Path
    recordings: Path
    targets: Path
    default_target: str | None
    default_engine: str | None
    application: ApplicationTable | None

    @property
    def origin(self) -> str:
        """What to call it in a message about one of its keys."""
        return f"{self.file}: {HEADER}" if self.file and self.file.name == SHARED_FILE else str(self.file or self.root)


def find_project(start: Path) -> Path:
    """The folder of the project that `start` lies in. Raises HilError as `nearest_project`, and if there is none."""
    if found := nearest_project(start):
        return found
    raise HilError(
        f"{start}: no {FILE}, {HEADER} of {SHARED_FILE} or {PLATFORMIO_FILE} here or in a folder above; "
        "`hil init` makes a project of this folder"
    )


def nearest_project(start: Path) -> Path | None:
    """The nearest folder upwards that is configured, or None.

    If none is, it is the nearest one with a platformio.ini, and everything in it has its default place.

    Raises:
        HilError: a pyproject.toml on the way cannot be read.
    """
    folders = (start, *start.parents)
    for folder in folders:
        if (folder / FILE).is_file() or _shared_table(folder / SHARED_FILE) is not None:
            return folder
    for folder in folders:
        if (folder / PLATFORMIO_FILE).is_file():
            return folder
    return None


def load_configuration(root: Path) -> Configuration:
    """What the project at `root` says of itself, and the defaults for what it leaves out.

    Raises:
        HilError: the file is wrong, or both files configure the project.
    """
    root = root.resolve()
    own, shared = root / FILE, root / SHARED_FILE
    content = _shared_table(shared)
    file: Path | None = None
    table = ConfigurationTable("hil-project/1")
    if own.is_file():
        if content is not None:
            raise HilError(f"{own} and {HEADER} of {shared} both configure this project; delete one of them")
        file, table = own, read_toml(own, ConfigurationTable)
    elif content is not None:
        file, table = shared, fit(f"{shared}: {HEADER}", FILE, content, ConfigurationTable)
    return Configuration(
        root,
        file,
        models=root / table.models,
        recordings=root / table.recordings,
        targets=root / table.targets,
        default_target=table.default_target,
        default_engine=table.default_engine,
        application=table.application,
    )


def _shared_table(file: Path) -> object:
    """[tool.tflm-hil] of `file`; None if it has none, or is not there."""
    if not file.is_file():
        return None
    tools = decode_toml(file).get("tool", {})
    tools = tools if isinstance(tools, dict) else {}
    if misspelt := _misspelt(tools):
        raise HilError(f"{file}: [tool.{misspelt}] is nobody's table; call it {HEADER}")
    return tools.get(TABLE)


def _misspelt(tools: Iterable[Any]) -> str | None:
    plain = TABLE.replace("-", "")
    same = (name for name in map(str, tools) if "".join(filter(str.isalnum, name)).lower() == plain)
    return next((name for name in same if name != TABLE), None)
