"""One run of QEMU: its process, its monitor, and what is known of both when something goes wrong."""

import contextlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tflm_hil import processes
from tflm_hil.boards.qemu.qmp import Monitor
from tflm_hil.device.timeout import Deadline
from tflm_hil.errors import HilError

START_S = 10.0

_ANSWER_S = 3.0
"""A monitor answers within milliseconds, on a busy machine within a second: one that takes longer stands still."""

_QUIT_S = 3.0
_END_S = 1.0
_POLL_S = 0.005
_LONGEST_SOCKET_DIR = 80
"""A unix socket's path has at most 107 characters; this leaves some for the directory's own name and the socket's."""


class QemuProcess:
    """QEMU with the arguments `argv` makes of the paths of its UART's socket and its monitor's, halted at reset.

    What it says goes to `log`. Raises HilError where it does not start.
    """

    def __init__(self, argv: Callable[[Path, Path], list[str]], log: Path) -> None:
        self._log = log
        self._monitor: Monitor | None = None
        self._mute = False
        self._sockets = _socket_dir()
        try:
            self._process = processes.spawn(argv(self._sockets / "uart", self._sockets / "monitor"), log)
        except HilError:
            self._remove_sockets()
            raise
        try:
            self._start()
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def usable(self) -> bool:
        """Whether it runs and has answered so far."""
        return not self._mute and self._process.poll() is None

    def execute(self, command: str) -> Any:
        """Return what the monitor answers. Raises HilError that says what is known of QEMU where it does not."""
        assert self._monitor is not None
        try:
            return self._monitor.execute(command, _ANSWER_S)
        except HilError as error:
            self._mute = True
            raise HilError(f"{error} ({self.last_words()})") from None

    def dial(self, name: str) -> socket.socket:
        """Connect to one of QEMU's sockets, which appear some time after it starts and listen still later."""
        deadline = Deadline(START_S)
        while not deadline.expired and self._process.poll() is None:
            line = socket.socket(socket.AF_UNIX)
            try:
                line.connect(str(self._sockets / name))
            except OSError:
                line.close()
                time.sleep(_POLL_S)
            else:
                return line
        raise HilError(f"QEMU did not start: {self.last_words()}")

    def await_line(self, connected: bool) -> None:
        """Wait until QEMU has noticed that its UART's line was opened or closed: what it sends before that is lost."""
        deadline = Deadline(START_S)
        while not deadline.expired:
            uart = next(device for device in self.execute("query-chardev") if device["label"] == "uart")
            if uart["filename"].startswith("disconnected:") != connected:
                return
            time.sleep(_POLL_S)
        raise HilError(f"QEMU did not notice its serial line within {START_S:g} s ({self.last_words()})")

    def trouble(self) -> str:
        """Return what is wrong with QEMU itself; "" where it runs and emulates."""
        if self._process.poll() is not None or self.stopped:
            return self.last_words()
        try:
            status = self.execute("query-status")["status"]
        except HilError:
            return self.last_words()
        return "" if status == "running" else f"QEMU's machine does not run, it is {status}; see {self._log}"

    def last_words(self) -> str:
        """Return how QEMU is, and what it said: the line of its log that tells an error."""
        try:
            lines = [line for line in self._log.read_text(errors="replace").splitlines() if line.strip()]
        except OSError:
            lines = []
        errors = [line for line in lines if line.startswith(("qemu:", f"{Path(self._process.args[0]).name}:"))]  # type: ignore[index,arg-type]
        said = (errors or lines or ["it said nothing"])[-1].strip()
        return f"{self._state()}, {said}; see {self._log}"

    def why_line_broke(self) -> str:
        """Return the same, but where its line is closed already, QEMU gets a moment to end."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_S)
        return self.last_words()

    def close(self) -> None:
        """End QEMU and remove its sockets; closing twice is harmless."""
        if self._monitor is not None:
            asked = False
            if self.usable and not self.stopped:
                with contextlib.suppress(HilError):
                    self.execute("quit")
                    asked = True
            self._monitor.close()
            self._monitor = None
            if asked:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(_QUIT_S)
        if self._process.poll() is None:
            self._process.kill()  # It has nothing to tidy up, and one that stands still takes no other signal.
            self._process.wait()
        self._remove_sockets()

    def _start(self) -> None:
        line = self.dial("monitor")
        try:
            self._monitor = Monitor(line)
            self._monitor.execute("query-status")
        except HilError:  # QEMU opens its monitor first and looks at the image then.
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_QUIT_S)
            raise HilError(f"QEMU did not start: {self.last_words()}") from None

    def _state(self) -> str:
        code = self._process.poll()
        if code is not None:
            return f"QEMU ended with {code}" if code >= 0 else f"QEMU was killed by signal {-code} ({_name(-code)})"
        if self.stopped:
            return "QEMU stands still: a signal has stopped it"
        return "QEMU stands still: its monitor does not answer" if self._mute else "QEMU runs"

    @property
    def stopped(self) -> bool:
        """Whether a signal has stopped it, which the third field of the process's stat tells on Linux."""
        if sys.platform != "linux":
            return False
        try:
            stat = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="ascii", errors="replace")
        except OSError:
            return False
        return stat.rpartition(")")[2].split()[0] in ("T", "t")

    def _remove_sockets(self) -> None:
        shutil.rmtree(self._sockets, ignore_errors=True)


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "real-time"


def _socket_dir() -> Path:
    """Return a new directory whose path is short enough for sockets."""
    base = tempfile.gettempdir()
    return Path(tempfile.mkdtemp(prefix="hil-", dir=base if len(base) <= _LONGEST_SOCKET_DIR else "/tmp"))
