"""The board kind `labqemu:`, a QEMU that is started again for each session."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tflm_hil.boards.board import Board
from tflm_hil.boards.counters import InstructionCounter
from tflm_hil.boards.protocols import Console
from tflm_hil.boards.qemu.board import emulation_of, rates
from tflm_hil.boards.spec import BoardSpec
from tflm_hil.device.connection import Connection, SocketConnection
from tflm_hil.errors import HilError
from tflm_hil.firmware.image import FirmwareImage
from tflm_hil.progress import Say
from tflm_hil.targets import Target

START_S = 10.0


class LabQemu:
    """All parts of the board but its counter: one QEMU is its console, reset, flasher and lease."""

    link = "uart"
    persistent = False  # Each run gives it its image, so there is no point in asking what it runs.

    def __init__(self, name: str, target: Target, log: Path) -> None:
        self._name = name
        self._emulation = emulation_of(target)
        self._log = log
        self._folder = Path(tempfile.mkdtemp(prefix="labqemu-"))
        self._image: FirmwareImage | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: SocketConnection | None = None

    def flash(self, image: FirmwareImage, _say: Say) -> str:
        """Flasher: remember the image for the next boot."""
        self._image = image
        return "the next QEMU will run the image"

    def boot(self, console: Console) -> Connection:
        """Reset: start a QEMU, which does not run before its line is open."""
        if self._image is None:
            raise HilError(f"{self._name}: there is no image on the board; run without --hil-flash=never")
        self._stop()
        emulation = self._emulation
        command = [
            emulation.program,
            *("-M", emulation.machine, "-icount", f"shift={emulation.icount_shift}"),
            *("-display", "none", "-monitor", "none", "-nodefaults"),
            *("-chardev", f"socket,id=uart,path={self._socket},server=on,wait=on"),
            *(["-serial", "null"] * emulation.serial),
            *("-serial", "chardev:uart"),
            *(emulation.loader, str(self._image.elf)),
        ]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        return console.open()

    def open(self) -> Connection:
        """Console: connect to the UART as soon as QEMU listens."""
        until = time.monotonic() + START_S
        while time.monotonic() < until and not self.trouble():
            line = socket.socket(socket.AF_UNIX)
            try:
                line.connect(str(self._socket))
            except OSError:
                line.close()
                time.sleep(0.01)
            else:
                self._connection = SocketConnection(line, self._name, self.trouble)
                return self._connection
        raise HilError(f"{self._name}: QEMU did not start; see {self._log}")

    def close(self) -> None:
        """Console: hang up."""
        if self._connection is not None:
            self._connection.close()

    def trouble(self) -> str:
        """Lease: tell of a QEMU that has died."""
        status = self._process.poll() if self._process is not None else None
        return "" if status is None else f"QEMU ended with {status}; see {self._log}"

    def release(self) -> None:
        """Lease: leave nothing behind."""
        self._stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def _socket(self) -> Path:
        return self._folder / "uart"

    def _stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        self._folder.mkdir(exist_ok=True)
        self._socket.unlink(missing_ok=True)


class LabQemuKind:
    """What `--board=labqemu:` names."""

    def check(self, spec: BoardSpec, targets: Sequence[Target]) -> str:
        """Refuse what cannot be had, before anything is built."""
        if len(targets) != 1:
            raise HilError(f"board {spec.text}: {len(targets)} targets for one chip; name one target")
        program = emulation_of(targets[0]).program
        if shutil.which(program) is None:
            raise HilError(f"board {spec.text}: {program} is not on PATH; install it")
        return "labqemu 9"

    def links(self, _spec: BoardSpec) -> Sequence[str]:
        """Tell what the option --hil-link may ask for."""
        return (LabQemu.link,)

    def processes(self, _spec: BoardSpec) -> int | None:
        """Tell how many processes may have one at a time: any number, as each starts its own."""
        return None

    def open(self, spec: BoardSpec, targets: Sequence[Target], run_dir: Path, _say: Say) -> Board:
        """Put the board together."""
        (target,) = targets
        qemu = LabQemu(spec.text, target, run_dir / "labqemu.log")
        return Board(
            spec.text,
            "labqemu 9",
            console=qemu,
            reset=qemu,
            flasher=qemu,
            counter=InstructionCounter(spec.text, lambda: rates(target)),
            lease=qemu,
        )
