"""The environments of our platformio.ini: TARGET_ENGINE, and TARGET_ENGINE_debug, which keeps every tensor."""

from __future__ import annotations

import glob
import os

from tflm_hil.files import write_text
from tflm_hil.firmware.build_dir import BuildDir

DEBUG = "debug"
"""The section that those of debug images extend as well."""


def environment(target: str, engine: str, debug: bool = False) -> str:
    """Return the name of an environment."""
    return "_".join([target, engine, *([DEBUG] if debug else [])])


def definition(target: str, engine: str, debug: bool = False) -> str:
    """Return an environment as platformio.ini has it; it extends the section of the engine."""
    extended = ", ".join([engine, *([DEBUG] if debug else [])])
    return f"[env:{environment(target, engine, debug)}]\nextends = {extended}\nboard = {target}\n"


def define(build_dir: BuildDir, engine: str, ini: str | None, debug: bool) -> None:
    """Write the definition of an environment that platformio.ini may lack: the target may be the project's own.

    `ini` has the options of the engine's section, None if platformio.ini has it. Raises HilError if it cannot be
    written.
    """
    section = "" if ini is None else f"[{engine}]\n{ini}\n\n"
    write_text(build_dir.definition, section + definition(build_dir.target.name, engine, debug))


def variables(build_dir: BuildDir) -> dict[str, str]:
    """Return what makes PlatformIO read the definition, and find the target; nothing if there is no definition."""
    if not build_dir.definition.is_file():
        return {}
    # Looked for from the project, so that the name of its own folder is no pattern.
    ini = glob.escape(os.path.relpath(build_dir.definition, build_dir.root))
    return {"HIL_ENVIRONMENT": ini, "PLATFORMIO_BOARDS_DIR": str(build_dir.target.file.parent)}
