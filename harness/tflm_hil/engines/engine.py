"""What the harness needs of an engine, whatever executes the network."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tflm_hil.firmware.generator import Generated, Job
from tflm_hil.firmware.image import FirmwareImage
from tflm_hil.firmware.image_kind import ImageKind
from tflm_hil.firmware.project import FirmwareProject
from tflm_hil.models.manifest import Model
from tflm_hil.models.steps import Step
from tflm_hil.progress import Say, silent
from tflm_hil.targets import Target


@dataclass(frozen=True)
class Estimate:
    """What an engine knows of an image before it is built, in bytes: constants in flash, and the arena in RAM.

    `arena_lower_bound` is the largest sum of tensors that are alive at one step. The arena may be smaller if an
    operator overwrites what it has read.
    """

    constant_bytes: int
    arena_bytes: int
    arena_lower_bound: int


class Engine(Protocol):
    """An engine. What has a body here may be left out by a class that derives from this one."""

    name: str
    """What the user calls it, and what results are filed under."""

    compiles: bool = False
    """Whether it makes code for just one network, which needs less memory and time than an interpreter."""

    def unavailable(self, _project: FirmwareProject, _offline: bool = False) -> str | None:
        """Why it cannot build in `project`, with the remedy, in one line; None if it can.

        What it lacks it may fetch when it builds, unless it is to stay `offline`. Raises HilError if what the user has
        set up for it is wrong.
        """
        return None

    def versions(self, _project: FirmwareProject) -> Mapping[str, str]:
        """What it consists of beside the project's own sources: name and version. Raises as `unavailable` does."""
        return {}

    def check(self, tflite: Path, project: FirmwareProject, say: Say = silent) -> Estimate | None:
        """Refuse, before anything is built, a network that it cannot run: HilError with the reason.

        Returns what is known of the image already, None if nothing is.
        """

    def known_fault(self, _tflite: Path, _project: FirmwareProject) -> str | None:
        """What it is known to compute wrong of this network, in one line, for the head of a report. This is quick."""
        return None

    def steps(self, _tflite: Path) -> Sequence[Step] | None:
        """The steps of an inference that a profile image measures, in order; None if there is no such image."""
        return None

    def build(
        self,
        project: FirmwareProject,
        model: Model,
        variant: str,
        target: Target,
        kind: ImageKind = ImageKind.TESTED,
        say: Say = silent,
    ) -> FirmwareImage:
        """The image of `model`'s `variant` for `target`.

        Raises HilError if it cannot be built, or if there is none of this `kind`, TooLargeError if it does not fit.
        """


class GeneratingEngine(Engine, Protocol):
    """An engine that generates sources from a network; the rest of the image is the firmware of the project."""

    ini: str | None = ""
    """See Generator. By default, an image needs nothing but the firmware and what is generated."""

    @abstractmethod
    def generate(self, job: Job) -> Generated:
        """See Generator."""

    def build(
        self,
        project: FirmwareProject,
        model: Model,
        variant: str,
        target: Target,
        kind: ImageKind = ImageKind.TESTED,
        say: Say = silent,
    ) -> FirmwareImage:
        """See Engine."""
        return project.build(model, variant, self, target, kind, say)
