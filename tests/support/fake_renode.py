"""A stand-in for Renode: its monitor's grammar, its PTY and its ends. It emulates nothing; QEMU does that behind it.

It answers to the commands that the harness gives, as Renode 1.16.1 was recorded to answer (`renode/console.raw`), and
it refuses all others. So tests show that the harness speaks with a monitor and a PTY like those of Renode; they say
nothing of Renode's models or counts.

    python fake_renode.py SETTINGS --disable-gui --console --plain --hide-log --config FILE

SETTINGS is JSON: `qemu`, the arguments of QEMU, in which FOLDER stands for a folder for its two sockets, and `fault`,
one of FAULTS.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tflm_hil.processes import die_with_parent

FAULTS = {
    "": "none",
    "old": "it is of a version that the harness does not take",
    "no-runtime": "it ends at once, and says why on stderr",
    "mute": "it never greets",
    "bad-platform": "it does not take the platform file",
    "crash": "it ends with an unhandled exception at the first byte that the harness sends",
    "deaf": "once the machine runs, its monitor does not answer any more",
    "halted": "the core has given up",
    "floods": "the firmware sends without end, and its core does not pause as long as nobody reads that",
    "wrong-answer": "it answers to `pause` with an error",
}
CRASH = "System.DllNotFoundException: Unable to load shared library 'libllvm-disas' or one of its dependencies."
START_S = 20.0


class Qemu:
    """A QEMU that is halted at reset, its UART connected."""

    def __init__(self, argv: Sequence[str], elf: str) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="hil-"))
        arguments = [argument.replace("FOLDER", str(self._folder)).replace("ELF", elf) for argument in argv]
        self._process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, preexec_fn=die_with_parent())
        self._monitor = self._dial("monitor").makefile("rw", encoding="utf-8")
        self._monitor.readline()  # its greeting
        self.execute("qmp_capabilities")
        self.uart = self._dial("uart")

    def execute(self, command: str) -> None:
        self._monitor.write(json.dumps({"execute": command}))
        self._monitor.flush()
        while "return" not in json.loads(self._monitor.readline()):
            pass

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _dial(self, name: str) -> socket.socket:
        until = time.monotonic() + START_S
        while True:
            line = socket.socket(socket.AF_UNIX)
            try:
                line.connect(str(self._folder / name))
                return line
            except OSError:
                line.close()
                if time.monotonic() > until or self._process.poll() is not None:
                    raise
                time.sleep(0.005)


class FakeRenode:
    """One run of it, from the banner to its end."""

    def __init__(self, qemu: Sequence[str], fault: str) -> None:
        self._argv, self._fault = qemu, fault
        self._prompt = "monitor"
        self._macro = ""
        self._eating: list[str] | None = None
        self._qemu: Qemu | None = None
        self._link: Path | None = None
        self._master = -1
        self._log: Callable[[str], None] = lambda _text: None
        self._running = False
        self._has_sensor = False
        self._sending = threading.Lock()

    def run(self) -> None:
        if self._fault == "mute":
            signal.pause()
        self._greet()
        for line in sys.stdin:
            command = line.rstrip("\n")
            self._write(f"{command}\n\r")
            if self._fault == "deaf" and self._running:
                signal.pause()
            if command == "quit":
                self._write("Renode is quitting\r\n\r")
                return
            self._write(self._answer(command))
            self._write(f"({self._prompt}) ")

    def close(self) -> None:
        if self._link is not None:
            self._link.unlink(missing_ok=True)
        if self._qemu is not None:
            self._qemu.close()

    def _greet(self) -> None:
        for byte in "Renode, version 1.16.1 (1.16.1+20261126)\n\r\n\r(monitor) ":
            self._write(byte)

    def _answer(self, command: str) -> str:
        if include := re.fullmatch(r"include @(\S+)", command):
            answers = []
            for line in self._lines(Path(include[1])):
                answers.append(self._answer(line))
                if "error" in answers[-1]:
                    break
            return "".join(answers)
        commands: list[tuple[str, Callable[..., str]]] = [
            (r"logFile @(\S+)(?: true)?", self._log_file),
            (r'mach create "(\w+)"', self._create),
            (r"machine LoadPlatformDescription @(\S+)", self._load_platform),
            (r"emulation SetGlobalAdvanceImmediately true", lambda: ""),
            (r'emulation CreateUartPtyTerminal "\w+" "(.+)"', self._create_pty),
            (r"connector Connect sysbus\.\w+ \w+", lambda: ""),
            (r'macro reset\s+"""\s*(.*?)\s*"""', self._define),
            (r"runMacro \$reset", lambda: self._answer(self._macro)),
            (r"sysbus LoadELF @(\S+)", self._load),
            (r"i2c1\.imu Feed(\w+)SamplesFromRESD @(\S+) sampleOffsetType=CurrentVirtualTime", self._feed),
            (r"start", self._start),
            (r"pause", self._pause),
            (r"machine Reset", self._reset),
            (r"cpu IsHalted", lambda: f"{self._fault == 'halted' and self._running}\r\r\n"),
            (r"cpu ExecutedInstructions", lambda: "0x0000000000B35A3C\r\r\n"),
        ]
        for pattern, execute in commands:
            if found := re.fullmatch(pattern, command, re.DOTALL):
                return execute(*found.groups())
        return f"No such command or device: {command.split()[0]}\r\n"

    @staticmethod
    def _lines(script: Path) -> list[str]:
        """The commands of a script; one whose next lines are in triple quotes takes them along."""
        return [each.strip() for each in re.findall(r'[^\n]+\n(?:""".*?"""\n)?', script.read_text(), re.DOTALL)]

    def _log_file(self, path: str) -> str:
        def log(text: str) -> None:
            with Path(path).open("a") as file:
                file.write(f"[22:51:11.5919]  {text}\n")

        self._log = log
        return ""

    def _create(self, name: str) -> str:
        self._prompt = name
        self._log("[INFO] System bus created.")
        return ""

    def _load_platform(self, path: str) -> str:
        if self._fault == "bad-platform" or not Path(path).is_file():
            return f"There was an error executing command 'machine LoadPlatformDescription @{path}'\r\nError E36\r\n"
        self._has_sensor = "imu: Sensors.LSM6DSO_IMU @ i2c1 0x6A" in Path(path).read_text()
        return ""

    def _create_pty(self, path: str) -> str:
        # Renode keeps the other end open as well, so nobody ever hangs up, and does not see to it that it is raw.
        self._master, slave = os.openpty()
        self._link = Path(path)
        self._link.symlink_to(os.ttyname(slave))
        return ""

    def _define(self, macro: str) -> str:
        self._macro = macro
        return ""

    def _load(self, path: str) -> str:
        if self._qemu is None:
            self._qemu = Qemu(self._argv, path)
            for move in (self._to_harness, self._to_firmware):
                threading.Thread(target=move, args=[self._qemu.uart], daemon=True).start()
        self._log(f"[INFO] sysbus: Loading block of {Path(path).stat().st_size} bytes length at 0x8000000.")
        return ""

    def _feed(self, what: str, path: str) -> str:
        """Renode was not recorded doing this: a method that returns nothing answers with nothing."""
        if self._running or not self._has_sensor or not Path(path).read_bytes().startswith(b"RESD"):
            return f"There was an error executing command 'Feed{what}'\r\nIt cannot be fed.\r\n"
        self._log(f"[DEBUG] imu: RESD: {what} from {path}")
        return ""

    def _start(self) -> str:
        assert self._qemu is not None
        self._qemu.execute("cont")
        self._running = True
        if self._fault == "floods":
            threading.Thread(target=self._flood, daemon=True).start()
        self._log(f"[INFO] {self._prompt}: Machine started.")
        if self._fault == "halted":
            self._log("[ERROR] cpu: CPU abort [PC=0x0]: Trying to execute code outside RAM or ROM.")
            self._log("[WARNING] nvic: and so on")
        return "Starting emulation...\r\n\r"

    def _pause(self) -> str:
        if self._fault == "wrong-answer":
            return "There was an error executing command 'pause'\r\nIt does not want to.\r\n"
        assert self._qemu is not None
        self._running = False
        with self._sending:
            self._qemu.execute("stop")
        return "Pausing emulation...\r\n\r"

    def _reset(self) -> str:
        assert self._qemu is not None
        self._qemu.execute("system_reset")
        return self._answer(self._macro)

    def _to_harness(self, uart: socket.socket) -> None:
        with suppress(OSError):
            while data := uart.recv(4096):
                self._send(data)

    def _send(self, data: bytes) -> None:
        with self._sending:
            while data:
                data = data[os.write(self._master, data) :]

    def _flood(self) -> None:
        while self._running:
            self._send(b"." * 20_000)  # more than a pseudo-terminal holds

    def _to_firmware(self, uart: socket.socket) -> None:
        with suppress(OSError):
            while data := os.read(self._master, 4096):
                if self._fault == "crash":
                    crash()
                uart.sendall(data)

    @staticmethod
    def _write(text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()


def crash() -> None:
    """End as a .NET program does whose exception nobody handles."""
    trace = "   at ELFSharp.LLVMDisassembler.llvm_create_disasm_cpu()"
    print(f"Fatal error:\n{CRASH}\n{trace}", file=sys.stderr, flush=True)
    print(f"Unhandled exception. {CRASH}\n{trace}", file=sys.stderr, flush=True)
    os.abort()


def main(settings: dict[str, Any], options: list[str]) -> None:
    fault = settings["fault"]
    assert fault in FAULTS
    if options == ["--version"]:
        print(f"Renode v{'1.15.3' if fault == 'old' else '1.16.1'}\n  build: 1.16.1+20261126\n  runtime: .NET 8.0.1")
        return
    if fault == "no-runtime":
        sys.exit("dotnet: libhostfxr.so is missing")
    assert options[:5] == ["--disable-gui", "--console", "--plain", "--hide-log", "--config"], options
    assert len(options) == 6, options
    Path(options[5]).write_text("[general]\n")
    renode = FakeRenode(settings["qemu"], fault)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        renode.run()
    finally:
        renode.close()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]), sys.argv[2:])
