"""An application of the user's own, which links the protocol library: what to build, and what to hold it against."""

from __future__ import annotations

from pathlib import Path

import msgspec

from tflm_hil.configuration import Configuration
from tflm_hil.errors import HilError
from tflm_hil.models.manifest import Model, load_model


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


def load_application(configuration: Configuration) -> Application | None:
    """The application of the project that says so; None if it has none.

    Raises:
        HilError: it names a model or a variant that is not there.
    """
    table, root = configuration.application, configuration.root
    if table is None:
        return None
    folder = (root / table.model).resolve()
    model = load_model(folder, configuration.recordings)
    if table.variant not in model.variants:
        known = ", ".join(model.variants)
        raise HilError(f"{configuration.origin}: variant {table.variant!r} is not in {folder}; there is {known}")
    elf = (root / table.elf).resolve() if table.elf else None
    return Application(root, table.target, model, table.variant, table.environment, elf)
