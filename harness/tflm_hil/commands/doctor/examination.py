"""Everything that `hil doctor` looks for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from tflm_hil.commands.doctor.finding import Finding
from tflm_hil.commands.doctor.hardware import examine_hardware
from tflm_hil.commands.doctor.software import examine_software
from tflm_hil.configuration import load_configuration, nearest_project
from tflm_hil.errors import HilError
from tflm_hil.targets import load_targets


def examine(start: Path) -> Iterator[Finding]:
    """Look for everything that a project needs, above all for the one that the folder `start` lies in."""
    yield from examine_software(start)
    project, targets = None, load_targets()
    with suppress(HilError):  # The line about the project has said it.
        if (project := nearest_project(start)) is not None:
            targets = load_targets(load_configuration(project).targets)
    yield from examine_hardware(project, targets)
