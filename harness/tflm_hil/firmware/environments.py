"""The environments of our platformio.ini: TARGET_ENGINE, TARGET_ENGINE_debug and TARGET_ENGINE_profile."""

from __future__ import annotations

import glob
import os

from tflm_hil.files import write_text
from tflm_hil.firmware.build_dir import BuildDir
from tflm_hil.firmware.image_kind import ImageKind


def environment(target: str, engine: str, kind: ImageKind) -> str:
    """Return the name of an environment."""
    return "_".join([target, engine, *kind.sections])


def definition(target: str, engine: str, kind: ImageKind) -> str:
    """Return an environment as platformio.ini has it; it extends the section of the engine."""
    extended = ", ".join([engine, *kind.sections])
    return f"[env:{environment(target, engine, kind)}]\nextends = {extended}\nboard = {target}\n"


def define(build_dir: BuildDir, engine: str, ini: str | None, kind: ImageKind) -> None:
    """Write the definition of an environment that platformio.ini may lack: the target may be the project's own.

    `ini` has the options of the engine's section, None if platformio.ini has it. Raises HilError if it cannot be
    written.
    """
    section = "" if ini is None else f"[{engine}]\n{ini}\n\n"
    write_text(build_dir.definition, section + definition(build_dir.target.name, engine, kind))


def variables(build_dir: BuildDir) -> dict[str, str]:
    """Return what makes PlatformIO read the definition, and find the target; nothing if there is no definition."""
    if not build_dir.definition.is_file():
        return {}
    # Looked for from the project, so that the name of its own folder is no pattern.
    ini = glob.escape(os.path.relpath(build_dir.definition, build_dir.root))
    return {"HIL_ENVIRONMENT": ini, "PLATFORMIO_BOARDS_DIR": str(build_dir.target.file.parent)}
