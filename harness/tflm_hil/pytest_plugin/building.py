"""Building the image that a test is about."""

from __future__ import annotations

import pytest

from tflm_hil.lab.build import Build, Firmware
from tflm_hil.lab.session import Session
from tflm_hil.models.stimuli import stimuli
from tflm_hil.pytest_plugin.progress_line import ProgressLine

BUILT = pytest.StashKey[dict[str, Firmware]]()


def built(config: pytest.Config, session: Session, build: Build) -> Firmware:
    """The image of `build`, made up to date the first time; other plugins are told once in each process.

    Raises HilError if it cannot be built, or if nothing can be fed to its network.
    """
    images = config.stash.setdefault(BUILT, {})
    if build.name not in images:
        if not build.model.windowed:
            stimuli(session.reference(build.variant.path).inputs)  # Do not build what cannot be fed.
        with ProgressLine(config) as line:
            line.say(f"building {build.name}")
            firmware = session.firmware(build, say=lambda text: line.say(f"building {build.name}: {text}"))
        config.hook.pytest_hil_firmware_built(config=config, firmware=firmware)
        images[build.name] = firmware
    return images[build.name]
