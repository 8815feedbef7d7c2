"""What executes a network on a device, and whether it can be had here."""

from pathlib import Path

from harness.firmware import tflm_library

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
