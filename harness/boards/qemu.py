"""The emulated board: QEMU, with instructions for a clock."""

import contextlib
import functools
import re
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from harness import lifeline
from harness.boards.qmp import Monitor
from harness.boards.targets import Target, find_target
from harness.device.connection import Connection, SocketConnection
from harness.device.device_info import Counter, DeviceInfo
from harness.device.timeout import Deadline
from harness.errors import HilError
from harness.firmware.image import FirmwareImage

QEMU = "qemu-system-arm"

_START_S = 10.0
_QUIT_S = 3.0
_POLL_S = 0.005
_LONGEST_SOCKET_DIR = 80
"""A unix socket's path has at most 107 characters; this leaves some for the directory's own name and the socket's."""


def command_line(target: Target, elf: Path, uart: Path, monitor: Path) -> list[str]:
    """Return the arguments that run `elf` on `target`, halted at its reset vector.

    Its UART and the monitor are unix sockets that QEMU listens on.
    """
    emulation = target.emulation
    return [
        QEMU,
        *("-M", emulation.machine),
        *("-icount", f"shift={emulation.icount_shift}"),
        *("-display", "none", "-monitor", "none", "-nodefaults"),
        *("-chardev", f"socket,id=uart,path={_escaped(uart)},server=on,wait=off"),
        *(["-serial", "null"] * emulation.serial),
        *("-serial", "chardev:uart"),
        *("-qmp", f"unix:{_escaped(monitor)},server=on,wait=off"),
        "-S",
        *("-kernel", str(elf)),
    ]


def _escaped(path: Path) -> str:
    return str(path).replace(",", ",,")


@functools.cache
def version() -> str:
    """Return QEMU's version, e.g. `7.2.22`. Raises HilError where there is none."""
    if shutil.which(QEMU) is None:
        raise HilError(f"{QEMU} is not installed, --board=emulated needs it: apt-get install qemu-system-arm")
    result = subprocess.run([QEMU, "--version"], capture_output=True, text=True, check=False)
    found = re.search(r"version (\d[\w.]*)", result.stdout)
    if found is None:
        said = " ".join(result.stderr.split()) or "it says nothing"
        raise HilError(f"{QEMU} --version does not work: {said}: apt-get install --reinstall qemu-system-arm")
    return found[1]


class QemuBoard:
    """A board that QEMU emulates; see Board. What QEMU itself says goes to `run_dir`/qemu.log.

    The machine is halted when QEMU starts and on every reset, and runs from the moment that the serial line is open, so
    nothing that it says while it boots is lost.
    """

    name = "emulated"

    def __init__(self, run_dir: Path) -> None:
        self.emulator: str | None = f"qemu {version()}"
        self._errors = run_dir / "qemu.log"
        self._image: FirmwareImage | None = None
        self._sockets: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._monitor: Monitor | None = None
        self._connection: Connection | None = None

    @property
    def pid(self) -> int | None:
        """Process id of QEMU while it runs."""
        return self._process.pid if self._process is not None else None

    def unit(self, info: DeviceInfo) -> str:
        """See Board."""
        if info.counter == Counter.DWT:
            raise HilError(f"{self.name}: the image counts with {info.counter.name}, which stands still in QEMU")
        return "instructions"

    def counts(self, info: DeviceInfo, ticks: int) -> int:
        """See Board."""
        assert self._image is not None
        instructions = find_target(self._image.target).emulation.instructions
        return instructions(ticks) - instructions(info.overhead_ticks)

    def flash(self, image: FirmwareImage) -> None:
        """See Board."""
        if self._image is None or (self._image.elf, self._image.elf_sha256) != (image.elf, image.elf_sha256):
            self.close()
            self._image = image

    def connect(self) -> Connection:
        """See Board."""
        if self._monitor is None or self._process is None or self._process.poll() is not None:
            self._start()
        elif self._connection is not None:
            self._connection.close()
            self._execute("stop")
            self._execute("system_reset")
            self._await_line(connected=False)
        self._connection = SocketConnection(self._dial("uart"), self.name, self._last_words)
        self._await_line(connected=True)
        self._execute("cont")
        return self._connection

    def close(self) -> None:
        """See Board."""
        if self._connection is not None:
            self._connection.close()
        if self._process is not None:
            grace = 0.0
            if self._monitor is not None:
                with contextlib.suppress(HilError):  # Where it cannot be asked, it is told.
                    self._monitor.execute("quit")
                    grace = _QUIT_S
                self._monitor.close()
            lifeline.stop(self._process, grace)
        if self._sockets is not None:
            shutil.rmtree(self._sockets, ignore_errors=True)
        self._connection = self._monitor = self._process = self._sockets = None

    def _start(self) -> None:
        if self._image is None:
            raise HilError("the emulated board has no image: it keeps none between runs, so run without --hil-no-flash")
        self.close()
        self._sockets = _socket_dir()
        target = find_target(self._image.target)
        argv = command_line(target, self._image.elf, self._sockets / "uart", self._sockets / "monitor")
        self._process = lifeline.spawn(argv, self._errors)
        try:
            line = self._dial("monitor")
            try:
                self._monitor = Monitor(line)
                self._monitor.execute("query-status")
            except HilError:  # QEMU opens its monitor first and looks at the image then.
                lifeline.stop(self._process, _QUIT_S)
                raise HilError(f"QEMU did not start: {self._last_words()}") from None
        except BaseException:
            self.close()
            raise

    def _dial(self, name: str) -> socket.socket:
        """Connect to one of QEMU's sockets, which appear some time after it starts and listen still later."""
        assert self._process is not None
        assert self._sockets is not None
        deadline = Deadline(_START_S)
        while not deadline.expired and self._process.poll() is None:
            line = socket.socket(socket.AF_UNIX)
            try:
                line.connect(str(self._sockets / name))
            except OSError:
                line.close()
                time.sleep(_POLL_S)
            else:
                return line
        raise HilError(f"QEMU did not start: {self._last_words()}")

    def _await_line(self, connected: bool) -> None:
        """Wait until QEMU has noticed that its UART's line was opened or closed: what it sends before that is lost."""
        deadline = Deadline(_START_S)
        while not deadline.expired:
            uart = next(device for device in self._execute("query-chardev") if device["label"] == "uart")
            if uart["filename"].startswith("disconnected:") != connected:
                return
            time.sleep(_POLL_S)
        raise HilError(f"QEMU did not notice its serial line within {_START_S:g} s ({self._last_words()})")

    def _execute(self, command: str) -> list[dict[str, str]]:
        assert self._monitor is not None
        try:
            answer: list[dict[str, str]] = self._monitor.execute(command)
        except HilError as error:
            raise HilError(f"{error} ({self._last_words()})") from None
        return answer

    def _last_words(self) -> str:
        state = "QEMU runs"
        if self._process is not None and (code := self._process.poll()) is not None:
            state = f"QEMU ended with {code}" if code >= 0 else f"QEMU was killed by signal {-code}"
        try:
            said = self._errors.read_text(errors="replace").strip().splitlines()[-1:]
        except OSError:
            said = []
        return f"{state}, {said[0] if said else 'it said nothing'}; see {self._errors}"


def _socket_dir() -> Path:
    """Return a new directory whose path is short enough for sockets."""
    base = tempfile.gettempdir()
    return Path(tempfile.mkdtemp(prefix="hil-", dir=base if len(base) <= _LONGEST_SOCKET_DIR else "/tmp"))
