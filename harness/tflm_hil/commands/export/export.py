"""Export a network: as an array, and as a C library if the aot engine can run it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from tflm_hil.commands.export.array import array_files
from tflm_hil.commands.export.folder import check_folder, write_folder
from tflm_hil.commands.export.library import Library, library
from tflm_hil.commands.export.names import identifier
from tflm_hil.commands.export.readme import ARRAY, LIBRARY, readme
from tflm_hil.errors import HilError
from tflm_hil.models.manifest import LONE_VARIANT, Model, Variant
from tflm_hil.models.tflite_file import read


@dataclass(frozen=True)
class Exported:
    """What was written to `folder`. If `library` is None, `reason` says why; what was there before is in `kept`."""

    folder: Path
    library: Library | None
    reason: str
    kept: Path | None


def library_prefix(model: Model, variant: Variant) -> str:
    """Return what names in the library begin with: model and variant, or the name of a file without a manifest."""
    return identifier(variant.path.stem if variant.name == LONE_VARIANT else f"{model.name}_{variant.name}")


def export(model: Model, variant: Variant, folder: Path, force: bool = False) -> Exported:
    """Write the network of `variant` to `folder`, with a README.md.

    Raises:
        HilError: the file is no .tflite, or the folder is not an earlier export and `force` is not given, or it cannot
            be written.
    """
    check_folder(folder, force)
    read(variant.path)
    content = variant.path.read_bytes()
    compiled, reason = None, ""
    try:
        compiled = library(model, variant, library_prefix(model, variant))
    except HilError as error:
        reason = str(error).removeprefix(f"{variant.path}: ")
    files: dict[str, str | Path] = {
        "README.md": readme(variant.path.name, hashlib.sha256(content).hexdigest(), compiled, reason, model),
        **{f"{ARRAY}/{name}": text for name, text in array_files(variant.path.name, content).items()},
        **{f"{LIBRARY}/{name}": text for name, text in (compiled.files if compiled else {}).items()},
    }
    kept = write_folder(folder, files, force)
    return Exported(folder, compiled, reason, kept)
