"""The environments of our platformio.ini: TARGET_ENGINE, and TARGET_ENGINE_debug, which keeps every tensor.

Run as a program, this writes those of our targets into a file: firmware/environments.ini, for builds by hand.
"""

from __future__ import annotations

import glob
import os
import sys
from pathlib import Path

from tflm_hil.files import write_text
from tflm_hil.firmware.build_dir import BuildDir
from tflm_hil.targets import load_targets

SECTIONS = ("aot", "tflm")
"""The sections of platformio.ini that environments extend, one for each of our engines."""

DEBUG = "debug"
"""The section that those of debug images extend as well."""


def environment(target: str, section: str, debug: bool = False) -> str:
    """Return the name of an environment."""
    return "_".join([target, section, *([DEBUG] if debug else [])])


def definition(target: str, section: str, debug: bool = False) -> str:
    """Return an environment as platformio.ini has it."""
    extended = ", ".join([section, *([DEBUG] if debug else [])])
    return f"[env:{environment(target, section, debug)}]\nextends = {extended}\nboard = {target}\n"


def define(build_dir: BuildDir, section: str, debug: bool) -> None:
    """Write the definition of an environment that platformio.ini may lack: the target may be the project's own.

    Raises HilError if it cannot be written.
    """
    write_text(build_dir.definition, definition(build_dir.target.name, section, debug))


def variables(build_dir: BuildDir) -> dict[str, str]:
    """Return what makes PlatformIO read the definition, and find the target; nothing if there is no definition."""
    if not build_dir.definition.is_file():
        return {}
    # Looked for from the project, so that the name of its own folder is no pattern.
    ini = glob.escape(os.path.relpath(build_dir.definition, build_dir.root))
    return {"HIL_ENVIRONMENT": ini, "PLATFORMIO_BOARDS_DIR": str(build_dir.target.file.parent)}


def every() -> str:
    """Return the environments of our targets."""
    definitions = (
        definition(target.name, section, debug)
        for target in load_targets().values()
        if target.build
        for section in SECTIONS
        for debug in (False, True)
    )
    return "\n".join(["; Generated from harness/tflm_hil/targets by `make environments`; do not edit.", *definitions])


if __name__ == "__main__":
    write_text(Path(sys.argv[1]), every())
