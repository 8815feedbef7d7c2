"""One run of QEMU: its process and its monitor."""

import contextlib
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tflm_hil.boards.emulator.gdb_memory import GdbMemory
from tflm_hil.boards.emulator.process import EmulatorProcess, lines_of
from tflm_hil.boards.qemu.memory import ProcessMemory
from tflm_hil.boards.qemu.qmp import Monitor
from tflm_hil.device.connection import Connection, SocketConnection
from tflm_hil.device.rtt import Place
from tflm_hil.device.rtt_connection import RttConnection
from tflm_hil.device.timeout import Deadline
from tflm_hil.errors import HilError

_ANSWER_S = 3.0
"""A monitor answers within milliseconds, on a busy machine within a second: one that takes longer stands still."""

_QUIT_S = 3.0
_POLL_S = 0.005
_FIRST_BYTE_S = 0.1
"""Our firmware says within a millisecond that it boots, on a busy machine within some more."""


class QemuProcess(EmulatorProcess):
    """QEMU with the arguments `argv` makes of the paths of its UART's socket and its monitor's, halted at reset.

    What it says goes to `log`. Its line is the UART, or the rings at `place`. Raises HilError where it does not start.
    """

    name = "QEMU"

    def __init__(self, argv: Callable[[Path, Path], list[str]], log: Path, place: Place | None = None) -> None:
        self._place = place
        self._monitor: Monitor | None = None
        self._uart: SocketConnection | None = None
        self._gdb: GdbMemory | None = None
        # Two threads of QEMU hand every byte of a UART back and forth.
        super().__init__(lambda folder: argv(folder / "uart", folder / "monitor"), log, log, one_core=place is None)
        try:
            self._start()
        except BaseException:
            self.close()
            raise

    def execute(self, command: str) -> Any:
        """Return what the monitor answers. Raises HilError that says what is known of QEMU where it does not."""
        assert self._monitor is not None
        try:
            return self._monitor.execute(command, _ANSWER_S)
        except HilError as error:
            self.mute = True
            raise HilError(f"{error} ({self.last_words()})") from None

    def ask(self, line: str) -> str:
        """The same for a command for humans."""
        assert self._monitor is not None
        return self._monitor.ask(line, _ANSWER_S)

    def dial(self, name: str) -> socket.socket:
        """Connect to one of QEMU's sockets, which appear some time after it starts and listen still later."""
        deadline = Deadline(self.start_s)
        while not deadline.expired and not self.ended:
            line = socket.socket(socket.AF_UNIX)
            try:
                line.connect(str(self.folder / name))
            except OSError:
                line.close()
                time.sleep(_POLL_S)
            else:
                return line
        raise HilError(f"QEMU did not start: {self.last_words()}")

    def reset(self) -> None:
        """See EmulatorProcess."""
        self.execute("stop")
        self.execute("system_reset")
        self._await_line(connected=False)

    def open_line(self, name: str) -> Connection:
        """See EmulatorProcess."""
        self._uart = SocketConnection(self.dial("uart"), name, self.why_line_broke)
        if self._place is None:
            return self._uart
        return RttConnection(self._open_memory(self._place), self._place, name, self._uart, self.why_line_broke)

    def run(self) -> None:
        """See EmulatorProcess."""
        self._await_line(connected=True)
        self.execute("cont")
        if self._gdb is not None:
            self._gdb.started()
        if self._place is not None:
            return
        # QEMU does not look at the line again when firmware has turned its receiver on, unless its main loop has
        # something to do. It has nothing as long as the core does not sleep, but a command of the monitor is something.
        assert self._uart is not None
        self._uart.wait(_FIRST_BYTE_S)
        self.execute("query-status")

    def trouble(self) -> str:
        """See EmulatorProcess."""
        if self.ended or self.stopped:
            return self.last_words()
        try:
            status = self.execute("query-status")["status"]
        except HilError:
            return self.last_words()
        return "" if status == "running" else f"QEMU's machine does not run, it is {status}; see {self.log}"

    def complaint(self) -> str:
        """See EmulatorProcess."""
        lines = lines_of(self.log)
        errors = [line for line in lines if line.startswith(("qemu:", f"{Path(self._process.args[0]).name}:"))]  # type: ignore[index,arg-type]
        return (errors or lines or [""])[-1]

    def close(self) -> None:
        """End QEMU and remove its sockets; closing twice is harmless."""
        if self._monitor is not None:
            asked = False
            if self.usable:
                with contextlib.suppress(HilError):
                    self.execute("quit")
                    asked = True
            self._monitor.close()
            self._monitor = None
            if asked:
                self.wait(_QUIT_S)
        super().close()

    def _start(self) -> None:
        line = self.dial("monitor")
        try:
            self._monitor = Monitor(line)
            self._monitor.execute("query-status")
        except HilError:  # QEMU opens its monitor first and looks at the image then.
            self.wait(_QUIT_S)
            raise HilError(f"QEMU did not start: {self.last_words()}") from None

    def _open_memory(self, place: Place) -> ProcessMemory | GdbMemory:
        """The memory of the machine, directly if the system lets us and the machine has it in one piece."""
        with contextlib.suppress(OSError, HilError):
            return ProcessMemory(self.pid, place.ram, self.ask)
        self.ask(f"gdbserver unix:{self.folder / 'gdb'},server=on,wait=off")
        try:
            self._gdb = GdbMemory(self.dial("gdb"))
        except OSError as error:
            raise HilError(f"QEMU's GDB server does not answer: {error} ({self.last_words()})") from None
        return self._gdb

    def _await_line(self, connected: bool) -> None:
        """Wait until QEMU has noticed that its UART's line was opened or closed: what it sends before that is lost."""
        deadline = Deadline(self.start_s)
        while not deadline.expired:
            uart = next(device for device in self.execute("query-chardev") if device["label"] == "uart")
            if uart["filename"].startswith("disconnected:") != connected:
                return
            time.sleep(_POLL_S)
        raise HilError(f"QEMU did not notice its serial line within {self.start_s:g} s ({self.last_words()})")
