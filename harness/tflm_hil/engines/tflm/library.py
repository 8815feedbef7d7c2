"""TensorFlow Lite Micro as a PlatformIO library: which one, where it is, and how it gets here."""

import functools
import glob
import json
import os
import re
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

from tflm_hil.errors import HilError
from tflm_hil.files import write_text
from tflm_hil.firmware import platformio_ini as configuration
from tflm_hil.firmware.build_dir import check_name

VARIABLE = "HIL_TFLM_LIB"
REGISTRY = "https://api.registry.platformio.org/"
REGISTRY_SECONDS = 3.0

MANIFEST = "library.json"
SOURCES = "src"
INTERPRETER = f"{SOURCES}/tensorflow/lite/micro/micro_interpreter.h"
RESOLVER = f"{SOURCES}/tensorflow/lite/micro/micro_mutable_op_resolver.h"

_SPECIFICATION = re.compile(r"(?P<owner>[^/]+)/(?P<name>[^@]+?)\s*@\s*(?P<version>.+)")
_OPERATOR = re.compile(r"TfLiteStatus Add(\w+)\((?:(?!TfLiteStatus).)*?AddBuiltin\(\s*BuiltinOperator_(\w+)", re.DOTALL)
_CUSTOM = re.compile(r"TfLiteStatus Add(\w+)\(\)(?:(?!TfLiteStatus).)*?AddCustom\(\s*\"(\w+)\"", re.DOTALL)


@dataclass(frozen=True)
class TflmLibrary:
    """A copy of the library on this machine, with name and version from its library.json."""

    directory: Path
    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name} {self.version}"

    @functools.cached_property
    def operators(self) -> dict[str, str]:
        """The operators it can execute: "FULLY_CONNECTED" -> "FullyConnected", as its op resolver adds it."""
        header = (self.directory / RESOLVER).read_text(encoding="utf-8", errors="replace")
        custom = {f"CUSTOM {name}": method for method, name in _CUSTOM.findall(header)}
        return {kind: method for method, kind in _OPERATOR.findall(header)} | custom


def specification(root: Path) -> str:
    """The package that platformio.ini names, `owner/name@version`.

    Raises:
        HilError: it names none.
    """
    found = configuration.option(root, "tflm", "library")
    if not _SPECIFICATION.fullmatch(found):
        raise HilError(f"{root / 'platformio.ini'}: [tflm] library is {found!r}, not owner/name@version; correct it")
    return found


def find(build_root: Path) -> TflmLibrary | None:
    """The copy in HIL_TFLM_LIB, or else the newest that PlatformIO has installed; None where there is neither.

    Raises:
        HilError: HIL_TFLM_LIB names something else.
    """
    if named := os.environ.get(VARIABLE):
        return read_library(Path(named).expanduser().resolve())
    manifests = sorted(installed_root(build_root).glob(f"*/*/{MANIFEST}"))
    copies = [read_library(manifest.parent) for manifest in manifests if (manifest.parent / INTERPRETER).is_file()]
    return max(copies, key=_age, default=None)


def _age(library: TflmLibrary) -> list[int]:
    """Its version as numbers, so that the newest is the largest."""
    return [int(number) for number in re.findall(r"\d+", library.version)]


def read_library(directory: Path) -> TflmLibrary:
    """The library in `directory`. Raises HilError where it does not hold one."""
    check_name(directory)
    remedy = "name one that holds TensorFlow Lite Micro as a PlatformIO library, or unset it"
    if not directory.is_dir():
        raise HilError(f"{VARIABLE}={directory}: is no directory; {remedy}")
    for file in (MANIFEST, INTERPRETER, RESOLVER):
        if not (directory / file).is_file():
            raise HilError(f"{VARIABLE}={directory}: this directory has no {file}; {remedy}")
    try:
        manifest = json.loads((directory / MANIFEST).read_text(encoding="utf-8"))
        return TflmLibrary(directory, str(manifest["name"]), str(manifest["version"]))
    except (ValueError, KeyError, TypeError) as error:
        raise HilError(f"{directory / MANIFEST}: has no name and version ({error}); mend it") from error


def installed_root(build_root: Path) -> Path:
    """Where PlatformIO installs libraries: one folder an environment."""
    return build_root / "pio" / "libdeps"


def missing(root: Path, build_root: Path, offline: bool = False) -> str | None:
    """Why there is no library, and the remedy, in one line; None if there is one, or unless `offline` can be fetched.

    Raises:
        HilError: HIL_TFLM_LIB or platformio.ini name something that is none.
    """
    package = specification(root)
    if find(build_root) is not None:
        return None
    if offline:
        return (
            "TensorFlow Lite Micro is not on this machine yet; `hil build MODEL --engine tflm` fetches it, or set "
            f"{VARIABLE} to a local copy"
        )
    if registry_answers():
        return None
    return (
        "the PlatformIO registry does not answer; go online once, "
        f"or set {VARIABLE} to a local copy of the library {package!r}"
    )


@functools.cache
def registry_answers() -> bool:
    """Whether PlatformIO could install from its registry; asked once, and given up after a few seconds."""
    answered = threading.Event()

    def ask() -> None:
        try:
            urllib.request.urlopen(urllib.request.Request(REGISTRY, method="HEAD"), timeout=REGISTRY_SECONDS).close()
        except urllib.error.HTTPError:
            pass  # an answer all the same
        except (OSError, HTTPException, ValueError):  # the last where a proxy is set to what is no address
            return
        answered.set()

    # A thread, as the look-up of a name has no time limit of its own.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(REGISTRY_SECONDS)
    return answered.is_set()


def settings(library: TflmLibrary, root: Path, build_root: Path, environment: str, local: Path) -> dict[str, str]:
    """The variables that make a build of `environment` take just this copy.

    For any but the environment's own one they name `local`, an ini file that is written here and that stands in for
    [tflm] of platformio.ini.
    """
    variables = {"HIL_TFLM_SOURCE": str(library.directory)}
    if library.directory.parent == installed_root(build_root) / environment:
        return variables
    write_text(local, "[tflm]\nlibrary = symlink://${sysenv.HIL_TFLM_SOURCE}\n")
    # Looked for from the project, so that the name of its own folder is no pattern.
    return variables | {"HIL_TFLM_CONFIG": glob.escape(os.path.relpath(local, root))}
