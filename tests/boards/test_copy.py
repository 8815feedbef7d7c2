"""A copy to the drive of a board, with a drive that behaves as DAPLink's."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from support.tiny_elf import PROGRAM, write_tiny_elf
from tflm_hil.boards.flashers import drive as drives
from tflm_hil.boards.flashers.methods import flasher
from tflm_hil.boards.flashers.tool import Place
from tflm_hil.errors import HilError
from tflm_hil.progress import silent
from tflm_hil.targets.flash import CopySettings

END = ":00000001FF\n"
AWAY_S = 0.2
"""Some looks of the harness; real drives take seconds."""


@contextmanager
def daplink(folder: Path, refusal: str | None = None, returns: bool = True) -> Iterator[Path]:
    """A drive that takes one file, leaves, and comes back without it; with FAIL.TXT where it refuses the image."""
    drive, away = folder / "MICROBIT", folder / "away"
    drive.mkdir()
    (drive / "DETAILS.TXT").write_text("# DAPLink Firmware\nUnique ID: 9900360150494e45\n")
    taken: list[str] = []
    stopped = threading.Event()

    def behave() -> None:
        file = drive / "image.hex"
        while not (file.exists() and file.read_text().endswith(END)):
            if stopped.is_set():
                return
            time.sleep(0.005)
        drive.rename(away)
        taken.append((away / "image.hex").read_text())
        (away / "image.hex").unlink()
        if refusal is not None:
            (away / "FAIL.TXT").write_text(refusal)
        if returns:
            time.sleep(AWAY_S)
            away.rename(drive)

    thread = threading.Thread(target=behave)
    thread.start()
    try:
        yield drive
        assert taken
    finally:
        stopped.set()
        thread.join()


@pytest.fixture
def image(tmp_path: Path) -> Any:
    return SimpleNamespace(elf=write_tiny_elf(tmp_path / "program.elf"))


def flash(image: Any, run_dir: Path, settings: CopySettings) -> str:
    return flasher(settings, Place("desk", "/dev/ttyACM7", run_dir / "t.toml", run_dir)).flash(image, silent)


def test_an_image_is_copied_and_the_drive_comes_back(image: Any, tmp_path: Path) -> None:
    with daplink(tmp_path) as drive:
        said = flash(image, tmp_path, CopySettings(path=str(drive)))
    assert said == f"copy ended with 0 and said: wrote image.hex to {drive}; see {tmp_path}/flash.log"


def test_an_image_that_the_drive_refuses_is_an_error_with_its_reason(image: Any, tmp_path: Path) -> None:
    refusal = "error: The hex file cannot be decoded.\r\ntype: user\r\n"
    with daplink(tmp_path, refusal) as drive, pytest.raises(HilError) as caught:
        flash(image, tmp_path, CopySettings(path=str(drive)))
    assert str(caught.value) == (
        f"desk: copy: it ended with 1 and said: wrote image.hex to {drive} | the drive refused the image:"
        f" error: The hex file cannot be decoded. type: user; see {tmp_path}/flash.log"
    )


def test_a_drive_that_does_not_come_back_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drives, "RETURNS_S", 0.0)
    with daplink(tmp_path, returns=False) as drive:
        file = tmp_path / "image.hex"
        file.write_text(END)
        assert drives.copy(file, drive) is None


def test_a_drive_that_stays_is_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drives, "LEAVES_S", 0.0)
    file = tmp_path / "image.bin"
    file.write_bytes(b"image")
    drive = tmp_path / "drive"
    drive.mkdir()
    assert drives.copy(file, drive) is None
    assert (drive / "image.bin").read_bytes() == b"image"


def test_a_drive_that_is_not_mounted_is_told(image: Any, tmp_path: Path) -> None:
    for settings in (CopySettings(path=str(tmp_path / "nowhere")), CopySettings(label="NOBOARD")):
        with pytest.raises(HilError, match=r"^desk: copy: its drive is not mounted: mount it, or say where it is"):
            flash(image, tmp_path, settings)


def test_binary_files_are_copied_where_they_are_asked_for(image: Any, tmp_path: Path) -> None:
    method = flasher(CopySettings(path="/media/x", format="bin"), Place("desk", "/dev/null", tmp_path / "t", tmp_path))
    argv = method._method.write(image).argv
    assert argv[-3:] == [str(tmp_path / "image.bin"), "--path", "/media/x"]
    assert (tmp_path / "image.bin").read_bytes() == PROGRAM


@pytest.fixture
def mounted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Drives: two of one label, one whose place has another name, and one with a space in it."""
    (tmp_path / "by-label").mkdir()
    (tmp_path / "sdb").touch()
    (tmp_path / "by-label" / "NODE_F446RE").symlink_to(tmp_path / "sdb")
    lines = [f"{tmp_path}/sdb {tmp_path}/usb0 vfat rw 0 0", "tmpfs / tmpfs rw 0 0"]
    for name, serial in (("MICROBIT", "one"), ("MICROBIT1", "two"), ("MY DRIVE", "three")):
        drive = tmp_path / name
        drive.mkdir()
        (drive / "DETAILS.TXT").write_text(f"Unique ID: {serial}\nHIC ID: 97969901\n")
        lines.append(f"/dev/x {str(drive).replace(' ', chr(92) + '040')} vfat rw 0 0")
    (tmp_path / "mounts").write_text("\n".join(lines))
    monkeypatch.setattr(drives, "MOUNTS", tmp_path / "mounts")
    monkeypatch.setattr(drives, "BY_LABEL", tmp_path / "by-label")
    return tmp_path


def test_a_drive_is_found_by_its_label(mounted: Path) -> None:
    assert drives.find_drive("NODE_F446RE", None) == mounted / "usb0"
    assert drives.find_drive("MY DRIVE", None) == mounted / "MY DRIVE"
    with pytest.raises(FileNotFoundError, match="a drive MICRO is not mounted"):
        drives.find_drive("MICRO", None)


def test_of_several_drives_it_is_that_of_the_boards_own_probe(mounted: Path) -> None:
    assert drives.find_drive("MICROBIT", "two") == mounted / "MICROBIT1"
    for serial in (None, "three"):
        with pytest.raises(FileNotFoundError, match="several drives are called MICROBIT"):
            drives.find_drive("MICROBIT", serial)
