"""The tools that build the firmware: found, or asked for in one line."""

import functools
import importlib.metadata
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tflm_hil.errors import InfrastructureError

COMPILER = "arm-none-eabi-gcc"
COMPILER_PACKAGE = "gcc-arm-none-eabi"

# What the linker needs of newlib and of the C++ library, and the packages of its own in which Debian has that.
LIBRARIES = {"nano.specs": "libnewlib-arm-none-eabi", "libstdc++_nano.a": "libstdc++-arm-none-eabi-newlib"}

REMEDY = (
    f"apt-get install {' '.join([COMPILER_PACKAGE, *LIBRARIES.values()])}, "
    "or put another arm-none-eabi toolchain on PATH"
)

# What of the user's variables reaches PlatformIO and the compiler: where things are, and how the network is reached.
# Others change what is compiled (CPATH, C_INCLUDE_PATH, GCC_EXEC_PREFIX, SCONSFLAGS), where it goes
# (DEPENDENCIES_OUTPUT), or what Python runs (PYTHONPATH).
PASSED = (
    *("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
)

# The drivers that the build calls, and what they call in turn.
DRIVERS = (COMPILER, *(f"arm-none-eabi-{tool}" for tool in ("g++", "objcopy", "size")))
PROGRAMS = ("cc1", "cc1plus", "as", "ld")


def find_compiler() -> Path:
    """The arm-none-eabi-gcc on PATH, links resolved. Raises HilError where there is none."""
    found = shutil.which(COMPILER)
    if found is None:
        raise InfrastructureError(f"{COMPILER} is not on PATH; {REMEDY}")
    return Path(found).resolve()


def variables(inherited: Mapping[str, str]) -> dict[str, str]:
    """The environment variables of a build: the same messages and the same image whatever the user has set."""
    return {name: inherited[name] for name in PASSED if name in inherited} | {"LC_ALL": "C"}


def versions() -> dict[str, str]:
    """Versions of the compiler and of PlatformIO, by name.

    Raises HilError where one of them is missing or incomplete.
    """
    version = check_compiler()
    for library in LIBRARIES:
        check_library(library)
    packages = {name: package_version(name) for name in ("platformio", "scons")}
    return {COMPILER: version, "platformio": packages["platformio"]}


def check_compiler() -> str:
    """The version of the compiler. Raises HilError where a program of it is missing or does not run."""
    compiler = find_compiler()
    version = _ask(compiler, "-dumpfullversion")
    for driver in DRIVERS:
        if shutil.which(driver) is None:
            raise InfrastructureError(f"{driver} is not on PATH, but {compiler} is; {REMEDY}")
    for program in PROGRAMS:
        if shutil.which(_ask(compiler, f"-print-prog-name={program}")) is None:
            raise InfrastructureError(f"{compiler} comes without {program}; {REMEDY}")
    return version


def check_library(name: str) -> Path:
    """Where the compiler has one of LIBRARIES. Raises HilError where it has none."""
    compiler = find_compiler()
    found = Path(_ask(compiler, f"-print-file-name={name}"))
    if not found.is_absolute():
        raise InfrastructureError(f"{compiler} comes without {name}; {REMEDY}")
    return found


def identity() -> list[str]:
    """The files of the toolchain with sizes and times, which stand for their contents: they are large.

    Raises HilError like `versions`.
    """
    compiler = find_compiler()
    drivers = [shutil.which(driver) or driver for driver in DRIVERS]
    programs = [
        shutil.which(name) or name for name in (_ask(compiler, f"-print-prog-name={each}") for each in PROGRAMS)
    ]
    files = [*drivers, *programs, *(str(check_library(library)) for library in LIBRARIES)]
    return [f"{file} {_facts(Path(file))}" for file in files]


def _ask(compiler: Path, option: str) -> str:
    return _ask_once(compiler, option, _facts(compiler), os.environ.get("PATH"))


def _facts(file: Path) -> str:
    status = file.stat()
    return f"{status.st_size} {status.st_mtime_ns}"


@functools.cache
def _ask_once(compiler: Path, option: str, _facts: str, _path: str | None) -> str:
    """What the compiler says, as long as it is the same file."""
    try:
        done = subprocess.run([compiler, option], capture_output=True, text=True, check=True, env=variables(os.environ))
    except (OSError, subprocess.CalledProcessError) as error:
        raise InfrastructureError(f"{compiler} does not run ({error}); {REMEDY}") from error
    return done.stdout.strip()


def package_version(name: str) -> str:
    """The version of a Python package. Raises HilError where it is missing."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        raise InfrastructureError(f"the Python package {name} is missing; pip install tflm-hil brings it") from None
