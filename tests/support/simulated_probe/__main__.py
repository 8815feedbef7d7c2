"""Start an nRF51 in QEMU behind a simulated probe; see the head of this package."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tflm_hil import processes

from support.simulated_probe import jtag, remote
from support.simulated_probe.chip import Chip
from support.simulated_probe.debug_port import DebugPort
from support.simulated_probe.gdbstub import GdbStub

# What the target nrf51 has in [qemu]: its counter is right only with this.
ICOUNT_SHIFT = 7

Serve = Callable[[socket.socket, DebugPort], None]


class Monitor:
    """QEMU's machine protocol (QMP)."""

    def __init__(self, path: Path) -> None:
        line = socket.socket(socket.AF_UNIX)
        line.connect(str(path))
        self._file = line.makefile("rwb")
        self._events: list[str] = []
        self._next()
        self.execute("qmp_capabilities")

    def execute(self, command: str) -> Any:
        """Return the answer to a command."""
        self._file.write(json.dumps({"execute": command}).encode() + b"\n")
        self._file.flush()
        while "return" not in (message := self._next()):
            pass
        return message["return"]

    def reset(self) -> None:
        """Reset the machine, and wait until that is done."""
        self._events.clear()
        self.execute("stop")
        self.execute("system_reset")
        while "RESET" not in self._events:
            self._next()

    def _next(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self._file.readline())
        self._events.append(message.get("event", ""))
        return message


def listen(serve: Serve, port: DebugPort) -> int:
    """Serve one client after the other in a thread of its own; return the port."""
    server = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        while True:
            line, _ = server.accept()
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with line:
                try:
                    serve(line, port)
                except OSError:  # The client was killed.
                    continue

    threading.Thread(target=accept, daemon=True).start()
    return int(server.getsockname()[1])


def main() -> None:
    """Serve until standard input ends."""
    with tempfile.TemporaryDirectory(prefix="probe-") as folder:
        sockets = {name: Path(folder) / name for name in ("qmp", "gdb")}
        argv = [
            "qemu-system-arm",
            "-M",
            "microbit",
            "-icount",
            f"shift={ICOUNT_SHIFT}",
            "-display",
            "none",
            "-nodefaults",
        ]
        argv += ["-S", "-serial", "pty", *(word for elf in sys.argv[1:] for word in ("-kernel", elf))]
        for name, path in sockets.items():
            argv += [f"-{name}", f"unix:{path},server=on,wait=off"]
        with subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            process_group=0,
            preexec_fn=processes.die_with_parent(),
        ) as qemu:
            try:
                while not all(path.exists() for path in sockets.values()):
                    time.sleep(0.01)
                monitor = Monitor(sockets["qmp"])
                port = DebugPort(Chip(GdbStub(sockets["gdb"]), monitor.reset))
                (terminal,) = [
                    device["filename"].removeprefix("pty:")
                    for device in monitor.execute("query-chardev")
                    if device["filename"].startswith("pty:")
                ]
                # As long as nobody has a terminal open, QEMU looks at it once a second.
                os.open(terminal, os.O_RDWR | os.O_NOCTTY)
                ports = {"pyocd": listen(remote.serve, port), "openocd": listen(jtag.serve, port)}
                print(json.dumps({"terminal": terminal, **ports}), flush=True)
                sys.stdin.read()
            finally:
                qemu.send_signal(signal.SIGKILL)


if __name__ == "__main__":
    main()
