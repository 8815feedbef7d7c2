"""What executes a network on a device, and whether it can be had here."""

import tempfile
from pathlib import Path

from tflm_hil.compiler import compile_model
from tflm_hil.engines.tflm import library as tflm_library
from tflm_hil.engines.tflm import sources as tflm_sources
from tflm_hil.engines.tflm import trial as tflm_trial
from tflm_hil.engines.tflm.library import TflmLibrary
from tflm_hil.errors import HilError
from tflm_hil.firmware.build_dir import Say, silent
from tflm_hil.models.reference import Reference
from tflm_hil.models.tflite_file import read

ENGINES = ("aot", "tflm")


def availability(engine: str, root: Path, build_root: Path) -> str | None:
    """Why `engine` cannot be built in the project at `root`, with the remedy, in one line; None where it can.

    Raises:
        HilError: what the user has set up for the engine is wrong: HIL_TFLM_LIB or [tflm] in platformio.ini.
    """
    return tflm_library.missing(root, build_root) if engine == "tflm" else None


def versions(engine: str, root: Path, build_root: Path) -> dict[str, str]:
    """The libraries that `engine` consists of beside the project's own sources: name and version.

    A library that is still to be installed goes by what platformio.ini asks for. Raises HilError like `availability`.
    """
    if engine != "tflm":
        return {}
    library = tflm_library.find(build_root)
    if library is not None:
        return {library.name: library.version}
    _, _, package = tflm_library.specification(root).partition("/")
    name, _, version = package.rpartition("@")
    return {name.strip(): version.strip()}


def check(engine: str, tflite: Path, library: TflmLibrary | None, build_root: Path, say: Say = silent) -> None:
    """Refuse, before anything is built, a network that `engine` cannot run or whose answers cannot be compared.

    Without a `library`, tflm is judged as far as TFLM on the host can tell. What a copy of the library was found to do
    is kept in `build_root`, and `say` is told what takes its time. Raises HilError with the reason.
    """
    if engine == "tflm":
        graph = read(tflite)
        tflm_sources.check(tflite, graph)
        if library is not None:
            tflm_sources.check_operators(tflite, graph, library)
            tflm_trial.check_scales(tflite, graph, library, build_root, say)
        return
    with tempfile.TemporaryDirectory(prefix="hil-") as folder:
        compile_model(tflite, Path(folder))
    Reference(tflite)


def alternative(engine: str, tflite: Path, library: TflmLibrary | None, build_root: Path) -> str | None:
    """What to advise: another engine that takes the network, e.g. `engine aot`; None if there is none."""
    for other in ENGINES:
        if other != engine and _takes(other, tflite, library, build_root):
            return f"engine {other}"
    return None


def _takes(engine: str, tflite: Path, library: TflmLibrary | None, build_root: Path) -> bool:
    try:
        check(engine, tflite, library, build_root)
    except HilError:
        return False
    return True
