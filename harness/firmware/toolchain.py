"""The tools that build the firmware: found, or asked for in one line."""

import importlib.metadata
import shutil
import subprocess
from pathlib import Path

from harness.errors import HilError

COMPILER = "arm-none-eabi-gcc"
DEBIAN_PACKAGES = "gcc-arm-none-eabi libnewlib-arm-none-eabi libstdc++-arm-none-eabi-newlib"
REMEDY = f"apt-get install {DEBIAN_PACKAGES}, or put another arm-none-eabi toolchain on PATH"

# What the linker needs of newlib and of the C++ library, which Debian has in packages of their own.
LIBRARIES = ("nano.specs", "libstdc++_nano.a")


def find_compiler() -> Path:
    """The arm-none-eabi-gcc on PATH, links resolved. Raises HilError where there is none."""
    found = shutil.which(COMPILER)
    if found is None:
        raise HilError(f"{COMPILER} is not on PATH; {REMEDY}")
    return Path(found).resolve()


def versions() -> dict[str, str]:
    """Versions of the compiler and of PlatformIO, by name.

    Raises HilError where one of them is missing or incomplete.
    """
    compiler = find_compiler()
    for library in LIBRARIES:
        if not Path(_ask(compiler, f"-print-file-name={library}")).is_absolute():
            raise HilError(f"{compiler} comes without {library}; {REMEDY}")
    packages = {name: _package(name) for name in ("platformio", "scons")}
    return {COMPILER: _ask(compiler, "-dumpfullversion"), "platformio": packages["platformio"]}


def _ask(compiler: Path, option: str) -> str:
    try:
        return subprocess.run([compiler, option], capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError) as error:
        raise HilError(f"{compiler} does not run ({error}); {REMEDY}") from error


def _package(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        raise HilError(f"the Python package {name} is missing; pip install tflm-hil brings it") from None
