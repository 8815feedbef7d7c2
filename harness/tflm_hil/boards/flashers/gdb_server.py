"""The GDB server of a real board: of the tool that flashes it through its debug probe."""

from __future__ import annotations

import contextlib
import re
import socket
import subprocess
import time
from pathlib import Path

from tflm_hil import processes
from tflm_hil.boards.flashers.gdb import Gdb
from tflm_hil.boards.flashers.openocd import OpenOcd
from tflm_hil.boards.flashers.pyocd import PyOcd
from tflm_hil.boards.flashers.tool import Place, explained
from tflm_hil.boards.serial.board import SerialLine
from tflm_hil.device.connection import Connection
from tflm_hil.device.timeout import Deadline
from tflm_hil.errors import HilError
from tflm_hil.targets import flash
from tflm_hil.targets.target import Uart

_START_S = 20.0
_POLL_S = 0.05
_END_S = 2.0
_FORGET = "maintenance flush register-cache"
"""GDB does not know that a command of the server's own has reset the core."""

_LISTENS = re.compile(r"istening on port \d+")


class ProbeGdbServer:
    """See GdbServer. `uart` is the line of the board at `place`; what the tool says goes to gdb-server.log."""

    def __init__(self, settings: flash.FlashSettings, place: Place, uart: Uart) -> None:
        self._line = SerialLine.at(place.port, uart, place.board)
        self._process: subprocess.Popen[bytes] | None = None
        if isinstance(settings, flash.GdbSettings):
            server = Gdb(settings, place)
            self.address, self.commands = server.address, (*server.halt, _FORGET)
            return
        if not isinstance(settings, flash.OpenOcdSettings | flash.PyOcdSettings):
            raise HilError(
                f"{place.board}: what flashes it has no GDB server: name openocd or pyocd as method in its [flash],"
                f" or gdb with a server that runs already; {place.origin} names another one"
            )
        method = OpenOcd(settings, place) if isinstance(settings, flash.OpenOcdSettings) else PyOcd(settings, place)
        port = _free_port()
        self.address, self.commands = f"localhost:{port}", ("monitor reset halt", _FORGET)
        log = place.run_dir / "gdb-server.log"
        self._process = processes.spawn(method.serve(port).argv, log)
        try:
            self._await(log, method, place.board)
        except BaseException:
            self.close()
            raise

    def line(self) -> Connection:
        """See GdbServer."""
        return self._line.open()

    def ended(self, seconds: float) -> bool:
        """See GdbServer. One that ran before is never known to end."""
        if self._process is None:
            time.sleep(seconds)
            return False
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        return self._process.poll() is not None

    def close(self) -> None:
        """See GdbServer."""
        try:
            self._line.close()
            self._line.release()
        finally:
            if self._process is not None:
                processes.stop_group(self._process, _END_S)
                self._process.wait()

    def _await(self, log: Path, method: OpenOcd | PyOcd, board: str) -> None:
        """Wait until the server listens. To try would be to debug: the core halts as soon as somebody connects."""
        deadline = Deadline(_START_S)
        while not _LISTENS.search(_said(log)):
            if self.ended(_POLL_S) or deadline.expired:
                raise HilError(f"{board}: {method.tool}: {explained(method, _said(log))}; see {log}")


def _said(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
