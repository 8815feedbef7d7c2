"""An application of the user's own as an engine: its image is built as it is, whatever runs the network in it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tflm_hil.engines.engine import Engine
from tflm_hil.engines.external.application import Application
from tflm_hil.errors import HilError
from tflm_hil.firmware.image import FirmwareImage, read_application
from tflm_hil.firmware.image_kind import ImageKind
from tflm_hil.firmware.project import FirmwareProject
from tflm_hil.models.manifest import Model
from tflm_hil.models.steps import Step, one_by_one
from tflm_hil.models.tflite_file import read
from tflm_hil.progress import Say, silent
from tflm_hil.targets import Target


class ExternalEngine(Engine):
    """See Engine. The application answers for what it can run."""

    name = "external"

    def __init__(self, application: Application) -> None:
        self._application = application

    def check(self, _tflite: Path, _project: FirmwareProject, _say: Say = silent) -> None:
        """See Engine. What is wrong shows when the device is asked."""

    def steps(self, tflite: Path) -> Sequence[Step]:
        """See Engine. Whether the application measures them is asked of the device."""
        return one_by_one(read(tflite))

    def build(
        self,
        project: FirmwareProject,
        model: Model,
        variant: str,
        target: Target,
        kind: ImageKind = ImageKind.TESTED,
        say: Say = silent,
    ) -> FirmwareImage:
        """See Engine. Built by its environment of platformio.ini, unless it is there already."""
        if kind is ImageKind.DEBUG:
            raise HilError(
                f"{model.name}-{variant}: an application of its own has no debug image that keeps every tensor"
            )
        if self._application.elf is not None:
            return read_application(self._application.elf, target)
        own = FirmwareProject(project.build_root, root=self._application.root)
        return own.build_as_it_is(str(self._application.environment), target, say)
