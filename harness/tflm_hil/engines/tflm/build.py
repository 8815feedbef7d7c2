"""Building with the tflm engine: the library, the generated sources, and the arena size that the network needs."""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from tflm_hil.engines.tflm import arena
from tflm_hil.engines.tflm import library as tflm_library
from tflm_hil.engines.tflm.library import TflmLibrary
from tflm_hil.engines.tflm.sources import write_sources
from tflm_hil.errors import HilError
from tflm_hil.firmware import platformio
from tflm_hil.firmware.build_dir import PROGRAM, BuildDir
from tflm_hil.firmware.generator import Job
from tflm_hil.firmware.memory import TooLargeError
from tflm_hil.progress import Say

# What firmware/platform/builder says: how many files of the library there are, and that it compiles one of them.
TOTAL = "Files of TensorFlow Lite Micro: "
COMPILING = re.compile(r"Compiling .*objects/tflm/")

SEARCH_PROGRAM = "firmware/arena_search"


def provide(build_dir: BuildDir, say: Say) -> TflmLibrary:
    """The library, installed from the registry where it is not here yet.

    Raises:
        HilError: there is none and none can be had.
    """
    found = tflm_library.find(build_dir.build_root)
    if found is not None:
        return found
    package = tflm_library.specification(build_dir.root)
    say(f"installing {package}")
    platformio.install(build_dir, build_dir.path / "install.log")
    found = tflm_library.find(build_dir.build_root)
    if found is None:
        raise HilError(f"{package}: installed, but it is no TensorFlow Lite Micro; correct [tflm] in platformio.ini")
    return found


def settings(build_dir: BuildDir, library: TflmLibrary) -> dict[str, str]:
    """The variables of PlatformIO that make a build take just this copy of the library."""
    return tflm_library.settings(
        library, build_dir.root, build_dir.build_root, build_dir.environment, build_dir.path / "tflm.ini"
    )


def generate(job: Job, library: TflmLibrary) -> tuple[list[Path], int]:
    """Write the sources of the engine, with the smallest arena in which the network runs; the files, and its bytes.

    Raises:
        HilError: all RAM of the target is not enough for the network, or there is no emulator to find that out.
    """
    size = _search(job, library)
    return write_sources(job.tflite, job.graph, library, size, job.build_dir.generated), size


def progress(say: Say) -> platformio.Watch:
    """Says how many files of the library are compiled, from what PlatformIO tells."""
    total = done = 0

    def watch(line: str) -> None:
        nonlocal total, done
        if line.startswith(TOTAL):
            total = int(line.removeprefix(TOTAL))
        elif COMPILING.match(line):
            done += 1
            say(f"compiling TFLM, file {done} of {total}, once for all models")

    return watch


def _search(job: Job, library: TflmLibrary) -> int:
    emulate, build_dir = job.emulate, job.build_dir
    if emulate is None:
        raise HilError(
            f"{job.tflite}: how small its arena can be is found in an emulator, and there is none: "
            "apt-get install qemu-system-arm"
        )
    # A token: the program brings an arena of its own.
    write_sources(job.tflite, job.graph, library, arena.STEP, build_dir.generated)
    build = build_dir.path / "search"
    variables: Mapping[str, str] = {
        **settings(build_dir, library),
        **platformio.build_variables(build_dir.generated, build),
        "PLATFORMIO_SRC_DIR": str(build_dir.root / SEARCH_PROGRAM),
    }
    elf = build / build_dir.environment / PROGRAM
    log, watch = build_dir.path / "search.log", progress(job.say)
    platformio.bring_up_to_date(build_dir, elf, variables, log, watch, job.say)

    # The program holds all that the size depends on.
    cache, key = arena.ArenaCache(build_dir.build_root / "arenas"), hashlib.sha256(elf.read_bytes()).hexdigest()
    if known := cache.recall(key):
        return known

    def attempt(size: int) -> arena.Trial:
        job.say(f"finding the smallest arena: {size:,} bytes")
        return arena.outcome(emulate(build_dir.target, elf, str(size)))

    found = arena.find_smallest(attempt)
    if found is None:
        # The library says that it fails, not why.
        why = "it needs more, or a kernel of this library refuses it"
        what = f"{job.tflite}: {library} does not run it in all RAM of {build_dir.target.name}: {why}"
        raise TooLargeError(what, {"RAM": 1})
    cache.remember(key, found)
    return found
