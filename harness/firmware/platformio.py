"""Runs PlatformIO: with an environment of its own, and with one line about what went wrong."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from filelock import FileLock

from harness import lifeline
from harness.errors import HilError
from harness.firmware.memory import TooLargeError
from harness.firmware.place import silent

# What a user has set for other projects must not change this image.
_OWN_PREFIXES = ("PLATFORMIO_", "HIL_")

_PIO = (sys.executable, "-m", "platformio")

_OVERFLOW = re.compile(r"region `(\w+)' overflowed by (\d+) bytes?")
_FULL_DISK = re.compile(r"No space left on device")
_ERROR = re.compile(r"^(?!collect2:).*?(?:\berror: |undefined reference to |/ld: ).*$", re.MULTILINE | re.IGNORECASE)


Watch = Callable[[str], None]
"""Is told each line that PlatformIO says, while it says it."""


def command(root: Path, environment: str) -> list[str]:
    """The argv that builds `environment` of the project at `root`."""
    return [*_PIO, "run", "--project-dir", str(root), "--environment", environment]


def install_command(root: Path, environment: str) -> list[str]:
    """The argv that installs the libraries of `environment`, and builds nothing."""
    return [*_PIO, "pkg", "install", "--project-dir", str(root), "--environment", environment]


def variables(inherited: Mapping[str, str], build_root: Path) -> dict[str, str]:
    """The environment variables of PlatformIO: `inherited` without those that it and the firmware's build obey.

    PlatformIO keeps all of its own below `build_root`, tells nobody that it ran and asks for no update.
    """
    kept = {key: value for key, value in inherited.items() if not key.startswith(_OWN_PREFIXES)}
    return kept | {
        "PLATFORMIO_BUILD_CACHE_DIR": str(build_root / "objects"),
        "PLATFORMIO_CORE_DIR": str(build_root / "platformio"),
        "PLATFORMIO_DISABLE_PROGRESSBAR": "true",
        "PLATFORMIO_DISABLE_UPGRADE_CHECK": "true",
        "PLATFORMIO_NO_ANSI": "true",
        "PLATFORMIO_SETTING_ENABLE_TELEMETRY": "no",
        "PLATFORMIO_WORKSPACE_DIR": str(build_root / "pio"),
        "PYTHONUNBUFFERED": "1",  # or its progress would come in one piece
    }


def build_variables(generated: Path, build_dir: Path) -> dict[str, str]:
    """What a build is told beside: where the generated sources are, and where it is to leave what it builds."""
    return {"HIL_GENERATED": str(generated), "PLATFORMIO_BUILD_DIR": str(build_dir)}


def run(
    root: Path, environment: str, build_root: Path, settings: Mapping[str, str], log: Path, watch: Watch = silent
) -> None:
    """Build one environment with the variables `settings`; everything that PlatformIO says is in `log` afterwards.

    One build at a time in a `build_root`: they share PlatformIO's own directory.

    Raises:
        TooLargeError: it does not fit the target.
        HilError: it failed otherwise. The line says the first error and where the log is.
    """
    if not _execute(command(root, environment), build_root, settings, log, watch):
        said = _text(log)
        if excess := overflow(said):
            regions = " and ".join(f"{region} by {size} bytes" for region, size in excess.items())
            raise TooLargeError(
                f"{environment}: the image is too large for the target, it exceeds {regions}", excess, log
            )
        raise HilError(f"{environment}: {explain(said)}; see {log}")


def install(root: Path, environment: str, build_root: Path, log: Path) -> None:
    """Install the libraries that `environment` names, from the registry.

    Raises:
        HilError: it failed.
    """
    if not _execute(install_command(root, environment), build_root, {}, log, silent):
        lines = [line.strip() for line in _text(log).splitlines() if line.strip()]
        raise HilError(
            f"{environment}: PlatformIO cannot install its libraries: {lines[-1] if lines else ''}; see {log}"
        )


def _execute(argv: list[str], build_root: Path, settings: Mapping[str, str], log: Path, watch: Watch) -> bool:
    with (
        FileLock(build_root / "platformio.lock"),
        log.open("w", encoding="utf-8", buffering=1) as output,
        subprocess.Popen(
            argv,
            env=variables(os.environ, build_root) | dict(settings),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            process_group=0,
            preexec_fn=lifeline.die_with_parent(),
        ) as process,
    ):
        assert process.stdout is not None
        try:
            for line in process.stdout:
                output.write(line)
                watch(line)
        except BaseException:
            # It would go on for minutes, beside the next build. Interrupted, SCons keeps what it has compiled.
            lifeline.stop_group(process)
            raise
    return process.returncode == 0


def _text(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")


def overflow(log: str) -> dict[str, int]:
    """By how many bytes a build's image exceeds each region of memory; empty where it fits, or there is none."""
    return {region: int(size) for region, size in _OVERFLOW.findall(log)}


def explain(log: str) -> str:
    """The one line that matters in the log of a failed build."""
    if _FULL_DISK.search(log):
        return "the build failed because the disk is full; free some space"
    if error := _ERROR.search(log):
        return f"the build failed: {error.group().strip()}"
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    return f"the build failed: {lines[-1] if lines else 'PlatformIO said nothing'}"
