"""Where the firmware's sources are: in the wheel beside this package, or in the clone that it is imported from."""

from __future__ import annotations

import base64
import functools
import hashlib
from importlib.metadata import PackagePath, distributions
from pathlib import Path

import tflm_hil
from tflm_hil.errors import HilError

DISTRIBUTION = "tflm-hil"
VARIABLE = "HIL_FIRMWARE"
"""The variable by which a platformio.ini refers to the firmware; see `folder`."""

_PACKAGE = Path(tflm_hil.__file__).parent
REMEDY = f"pip install --force-reinstall {DISTRIBUTION}"


def project() -> Path:
    """The PlatformIO project of the firmware: the folder that holds firmware/ and platformio.ini.

    Raises:
        HilError: it is missing, or a file of an installed wheel is not what was installed.
    """
    return _locate(_PACKAGE)


def folder() -> Path:
    """The firmware itself: platform/, lib/ with the protocol library, and src/. Raises HilError like `project`."""
    return project() / "firmware"


@functools.cache
def _locate(package: Path) -> Path:
    packaged, clone = package / "project", package.parents[1]
    if not packaged.exists() and all((clone / name).exists() for name in ("firmware", "platformio.ini")):
        return clone
    for file in _installed(package):
        _check(file)
    if not (packaged / "platformio.ini").is_file():
        raise HilError(f"{packaged}: the firmware of {DISTRIBUTION} is missing; {REMEDY}")
    return packaged


def _installed(package: Path) -> list[PackagePath]:
    """The data files of the distribution that installed `package`, whatever else of that name is on the path."""
    installed = distributions(name=DISTRIBUTION, path=[str(package.parent)])
    data = (package.name, "project")
    return [file for each in installed for file in each.files or () if file.parts[:2] == data]


def _check(file: PackagePath) -> None:
    where = Path(str(file.locate()))
    try:
        content = where.read_bytes()
    except OSError as error:
        raise HilError(f"{where}: a file of {DISTRIBUTION} cannot be read ({error.strerror}); {REMEDY}") from error
    if file.hash is not None and where.suffix != ".pyc":
        digest = base64.urlsafe_b64encode(hashlib.new(file.hash.mode, content).digest()).decode().rstrip("=")
        if digest != file.hash.value:
            raise HilError(f"{where}: a file of {DISTRIBUTION} is not as it was installed; {REMEDY}")
