"""Runs PlatformIO: with an environment of its own, and with one line about what went wrong."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from filelock import FileLock

from harness.errors import HilError
from harness.firmware.memory import ImageTooLargeError

# What a user has set for other projects must not change this image.
_OWN_PREFIXES = ("PLATFORMIO_", "HIL_")

_OVERFLOW = re.compile(r"region `(\w+)' overflowed by (\d+) bytes?")
_FULL_DISK = re.compile(r"No space left on device")
_ERROR = re.compile(r"^(?!collect2:).*?(?:\berror: |undefined reference to |/ld: ).*$", re.MULTILINE | re.IGNORECASE)


def command(root: Path, environment: str) -> list[str]:
    """The argv that builds `environment` of the project at `root`."""
    return [sys.executable, "-m", "platformio", "run", "--project-dir", str(root), "--environment", environment]


def variables(inherited: Mapping[str, str], build_root: Path, build_dir: Path, generated: Path) -> dict[str, str]:
    """The environment variables of a build: `inherited` without those that PlatformIO and the firmware's build obey.

    PlatformIO keeps all of its own below `build_root`, tells nobody that it ran and asks for no update.
    """
    kept = {key: value for key, value in inherited.items() if not key.startswith(_OWN_PREFIXES)}
    return kept | {
        "HIL_GENERATED": str(generated),
        "PLATFORMIO_BUILD_DIR": str(build_dir),
        "PLATFORMIO_CORE_DIR": str(build_root / "platformio"),
        "PLATFORMIO_DISABLE_PROGRESSBAR": "true",
        "PLATFORMIO_DISABLE_UPGRADE_CHECK": "true",
        "PLATFORMIO_NO_ANSI": "true",
        "PLATFORMIO_SETTING_ENABLE_TELEMETRY": "no",
        "PLATFORMIO_WORKSPACE_DIR": str(build_root / "pio"),
    }


def run(root: Path, environment: str, build_root: Path, build_dir: Path, generated: Path, log: Path) -> None:
    """Build one environment; everything that PlatformIO says is in `log` afterwards.

    One build at a time in a `build_root`: they share PlatformIO's own directory.

    Raises:
        ImageTooLargeError: it does not fit the target.
        HilError: it failed otherwise. The line says the first error and where the log is.
    """
    with FileLock(build_root / "platformio.lock"), log.open("w", encoding="utf-8") as output:
        done = subprocess.run(
            command(root, environment),
            env=variables(os.environ, build_root, build_dir, generated),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode != 0:
        said = log.read_text(encoding="utf-8", errors="replace")
        if excess := overflow(said):
            raise ImageTooLargeError(environment, excess, "a smaller model or a larger target", log)
        raise HilError(f"{environment}: {explain(said)}; see {log}")


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
