"""`hil init`: a project in a folder that is there."""

from __future__ import annotations

from pathlib import Path

from tflm_hil.cli.new import ModelFile, RecordingsFolder, TargetName, tell
from tflm_hil.commands.scaffold.project import Wishes, plan
from tflm_hil.commands.scaffold.writing import write
from tflm_hil.configuration import FILE, HEADER, SHARED_FILE, load_configuration
from tflm_hil.errors import HilError


def init(model: ModelFile = None, recordings: RecordingsFolder = None, target: TargetName = None) -> None:
    """Make a project of this folder, such as a repository with a PlatformIO project. Everything in it stays as it is.

    Example: hil init --model my_int8.tflite --recordings data/imu
    """
    root = Path.cwd()
    if (configured := load_configuration(root).file) is not None:
        what = f"{HEADER} of {SHARED_FILE}" if configured.name == SHARED_FILE else FILE
        raise HilError(f"{root}: is a project already, because of its {what}; add models to it by hand")
    project = plan(root, Wishes(model, recordings, target))
    write(root, project.files)
    tell(project, [])
