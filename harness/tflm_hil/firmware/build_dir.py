"""Where one image is built."""

import re
from dataclasses import dataclass
from pathlib import Path

from tflm_hil.errors import HilError
from tflm_hil.targets import Target

PROGRAM = "program.elf"
OBJECTS = "objects"
"""In the folder of all that is built, the folder of the objects that several images share."""

# SCons reads a $ as the name of a variable, and PlatformIO's settings are lines.
UNUSABLE = re.compile(r"[$\n\r]")


def check_name(folder: Path) -> None:
    """Raises HilError where PlatformIO cannot work in a folder of this name."""
    if found := UNUSABLE.search(str(folder)):
        raise HilError(f"{str(folder)!r}: PlatformIO takes no {found.group()!r} in the name of a folder; rename it")


@dataclass(frozen=True)
class BuildDir:
    """The folder of one image, which is called `name`, and the environment of platformio.ini that it is built with.

    `root` is the project and `build_root` the folder of all that is built in it.
    """

    root: Path
    build_root: Path
    name: str
    target: Target
    environment: str

    @property
    def path(self) -> Path:
        """All files of this image."""
        return self.build_root / "firmware" / self.name

    @property
    def generated(self) -> Path:
        """The sources that were generated from the model."""
        return self.path / "generated"

    @property
    def definition(self) -> Path:
        """The definition of the environment, if platformio.ini is not to have it; see environments.py."""
        return self.path / "environment.ini"

    @property
    def build(self) -> Path:
        """What PlatformIO leaves."""
        return self.path / "build"

    @property
    def elf(self) -> Path:
        """The image."""
        return self.build / self.environment / PROGRAM

    @property
    def linked_last(self) -> Path:
        """The image of an application, whose platform may call it as it likes: most call it firmware.elf."""
        found = (self.build / self.environment).glob("*.elf")
        return max(found, key=lambda elf: elf.stat().st_mtime_ns, default=self.elf)

    @property
    def log(self) -> Path:
        """What PlatformIO said."""
        return self.path / "build.log"
