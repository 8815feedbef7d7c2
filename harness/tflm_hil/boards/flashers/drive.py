"""The program that copies an image to the drive of a board, and waits for what the board says.

    python -m tflm_hil.boards.flashers.drive IMAGE --label MICROBIT | --path DRIVE [--serial NUMBER]

It ends with 1 where the drive says that it did not take the image. Otherwise it does not know what the board runs.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

LEAVES_S = 10.0
"""A drive that was written leaves within this time, and comes back; one that does not has nothing to say."""
RETURNS_S = 20.0
_POLL_S = 0.05

MOUNTS = Path("/proc/self/mounts")
BY_LABEL = Path("/dev/disk/by-label")

# DAPLink's documentation, "Drag-n-drop" and "Details.txt".
FAILED, DETAILS = "FAIL.TXT", "DETAILS.TXT"
_UNIQUE_ID = re.compile(r"^Unique ID: *(\S+)", re.MULTILINE)


def find_drive(label: str, serial: str | None) -> Path:
    """Return where the drive with this label is mounted; of several, the one whose DETAILS.TXT names `serial`.

    Raises FileNotFoundError where there is none, or no way to tell which.
    """
    device = (BY_LABEL / label).resolve()
    mounts = [line.split() for line in MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines()]
    places = [(Path(fields[0]), Path(_unescaped(fields[1]))) for fields in mounts if len(fields) > 1]
    name = re.compile(rf"{re.escape(label)}\d*")  # a second one of a label is mounted as MICROBIT1
    drives = [place for source, place in places if source == device or name.fullmatch(place.name)]
    if len(drives) > 1:
        drives = [drive for drive in drives if serial and _unique_id(drive) == serial]
        if len(drives) != 1:
            raise FileNotFoundError(f"several drives are called {label}")
    if not drives:
        raise FileNotFoundError(f"a drive {label} is not mounted")
    return drives[0]


def copy(image: Path, drive: Path) -> str | None:
    """Write `image` to `drive`, wait until it is back, and return why it refused the image, None if it does not say so.

    The file is written under its own name at once: such a drive takes what is written for the image, whatever it is
    called later.
    """
    if not drive.is_dir():
        raise FileNotFoundError(f"{drive} is not mounted")
    target = drive / image.name
    with target.open("wb") as file:
        file.write(image.read_bytes())
        file.flush()
        os.fsync(file.fileno())
    print(f"wrote {image.name} to {drive}", flush=True)
    if not _wait(lambda: not _there(target), LEAVES_S):
        print("the drive did not leave and come back, as those of DAPLink do", flush=True)
    elif not _wait(lambda: _there(drive / DETAILS), RETURNS_S):
        print(f"the drive is not back after {RETURNS_S:g} s: is it mounted by itself?", flush=True)
    try:
        return (drive / FAILED).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None


def _wait(condition: Callable[[], bool], seconds: float) -> bool:
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(_POLL_S)
    return True


def _there(path: Path) -> bool:
    try:
        path.stat()
    except OSError:  # A drive that has just left gives errors of its own.
        return False
    return True


def _unique_id(drive: Path) -> str | None:
    try:
        found = _UNIQUE_ID.search((drive / DETAILS).read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return None
    return found[1] if found else None


def _unescaped(field: str) -> str:
    """A field of /proc/mounts, where a space is \\040."""
    return re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), field)


def main() -> int:
    """See the head of this file."""
    parser = argparse.ArgumentParser()
    parser.add_argument("image", type=Path)
    parser.add_argument("--label")
    parser.add_argument("--path", type=Path)
    parser.add_argument("--serial")
    options = parser.parse_args()
    try:
        refused = copy(options.image, options.path or find_drive(options.label, options.serial))
    except OSError as error:
        print(error)
        return 1
    if refused is not None:
        print(f"the drive refused the image: {' '.join(refused.split())}")
    return 0 if refused is None else 1


if __name__ == "__main__":
    sys.exit(main())
