"""QEMU with a halted program and a GDB server, for people with a debugger."""

from pathlib import Path

from tflm_hil.boards.qemu.board import command_line, version
from tflm_hil.boards.qemu.process import QemuProcess
from tflm_hil.device.connection import Connection
from tflm_hil.firmware.image import FirmwareImage


class QemuGdbServer:
    """See GdbServer. The server is a unix socket that only this user may open. What QEMU says goes to `run_dir`."""

    commands: tuple[str, ...] = ()

    def __init__(self, name: str, image: FirmwareImage, run_dir: Path) -> None:
        version()
        self._name = name

        def argv(uart: Path, monitor: Path) -> list[str]:
            server = f"unix:{monitor.with_name('gdb')},server=on,wait=off"
            return command_line(image.target, image.elf, uart, monitor, ["-gdb", server])

        self._process = QemuProcess(argv, run_dir / "qemu.log")

    @property
    def address(self) -> str:
        """See GdbServer."""
        return str(self._process.folder / "gdb")

    def line(self) -> Connection:
        """See GdbServer."""
        return self._process.open_line(self._name)

    def ended(self, seconds: float) -> bool:
        """See GdbServer."""
        self._process.wait(seconds)
        return self._process.ended

    def close(self) -> None:
        """See GdbServer."""
        self._process.close()
