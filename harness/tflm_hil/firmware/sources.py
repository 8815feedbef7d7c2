"""Where the firmware's sources are: in the wheel beside this package, or in the clone that it is imported from."""

from __future__ import annotations

import base64
import csv
import functools
import hashlib
from collections.abc import Iterator
from importlib.metadata import distributions
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
    for file, digest in _installed(package):
        _check(file, digest)
    if not (packaged / "platformio.ini").is_file():
        raise HilError(f"{packaged}: the firmware of {DISTRIBUTION} is missing; {REMEDY}")
    return packaged


def _installed(package: Path) -> Iterator[tuple[Path, str]]:
    """The data files of the distribution that installed `package`, whatever else of that name is on the path.

    Each with its digest as RECORD has it: the name of a hash, =, and the hash in URL-safe base64; or "".
    """
    for distribution in distributions(name=DISTRIBUTION, path=[str(package.parent)]):
        # Not `distribution.files`: since Python 3.12 that leaves out what is missing.
        for name, digest, _size in csv.reader((distribution.read_text("RECORD") or "").splitlines()):
            if name.startswith(f"{package.name}/project/") and not name.endswith(".pyc"):
                yield Path(str(distribution.locate_file(name))), digest


def _check(file: Path, digest: str) -> None:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise HilError(f"{file}: a file of {DISTRIBUTION} cannot be read ({error.strerror}); {REMEDY}") from error
    algorithm, _, expected = digest.partition("=")
    if expected:
        found = base64.urlsafe_b64encode(hashlib.new(algorithm, content).digest()).decode().rstrip("=")
        if found != expected:
            raise HilError(f"{file}: a file of {DISTRIBUTION} is not as it was installed; {REMEDY}")
