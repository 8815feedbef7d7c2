"""An application of the user's own, which links the protocol library: what to build, and what to hold it against."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from tflm_hil.errors import HilError
from tflm_hil.models.manifest import Model, load_model
from tflm_hil.toml_file import read_toml

ENGINE = "external"
"""What executes the network of such an application, as far as the harness knows."""

FILE = "hil.toml"
_Text = Annotated[str, Meta(min_length=1)]


class _Table(msgspec.Struct, forbid_unknown_fields=True):
    target: _Text
    model: _Text
    variant: _Text
    environment: _Text | None = None
    elf: _Text | None = None

    def __post_init__(self) -> None:
        if (self.environment is None) == (self.elf is None):
            raise ValueError("name either the environment of platformio.ini that builds it, or its elf file")


class _File(msgspec.Struct, forbid_unknown_fields=True):
    schema: Literal["hil-project/1"]
    application: _Table | None = None


class Application(msgspec.Struct, frozen=True):
    """`environment` of the platformio.ini in `root` builds it, or `elf` is there already.

    It is built for `target` and runs `variant` of `model`.
    """

    root: Path
    target: str
    model: Model
    variant: str
    environment: str | None
    elf: Path | None


def load_application(root: Path) -> Application | None:
    """The application that `root`/hil.toml names; None if it names none.

    Raises:
        HilError: the file is wrong, or names a model or a variant that is not there.
    """
    file = root / FILE
    if not file.exists():
        return None
    table = read_toml(file, _File).application
    if table is None:
        return None
    folder = (root / table.model).resolve()
    model = load_model(folder, folder.parent.parent / "recordings")
    if table.variant not in model.variants:
        raise HilError(f"{file}: variant {table.variant!r} is not in {folder}; there is {', '.join(model.variants)}")
    elf = (root / table.elf).resolve() if table.elf else None
    return Application(root.resolve(), table.target, model, table.variant, table.environment, elf)
