"""GDB in front of a GDB server; see GdbSettings."""

from __future__ import annotations

from dataclasses import dataclass

from tflm_hil.boards.flashers.tool import Call, Complaint, Place, executable
from tflm_hil.firmware.image import FirmwareImage
from tflm_hil.targets.flash import GdbSettings

_CONNECT_S = 5
_ANSWER_S = 10


@dataclass(frozen=True)
class _Server:
    """A GDB server: its usual port, and its monitor commands that reset and halt the core, and that start it."""

    port: int
    halt: tuple[str, ...]
    run: tuple[str, ...]


# OpenOCD, "General Commands"; pyOCD, "Command reference"; SEGGER's UM08001, "GDB Server"; QEMU, "Human Monitor".
_SERVERS = {
    "jlink": _Server(2331, ("reset",), ("reset", "go")),
    "openocd": _Server(3333, ("reset halt",), ("reset run",)),
    "pyocd": _Server(3333, ("reset halt",), ("reset",)),
    "qemu": _Server(1234, (), ("system_reset",)),
    "renode": _Server(3333, (), ("machine Reset", "start")),
}


class Gdb:
    """See Method."""

    tool = "gdb"
    complaints = (
        Complaint(
            r"Connection refused|could not connect|Connection timed out|Name or service not known|Cannot resolve",
            "reaches no GDB server: start it, or correct address in [flash]",
        ),
        Complaint(r"MIS-MATCHED", "what it read back differs from the image", fails=True),
        Complaint(r"Remote connection closed|Remote communication error", "the GDB server ended meanwhile", fails=True),
        Complaint(r"Load failed", "the GDB server could not write the flash: see what it says itself"),
        Complaint(
            r"Target not examined|Ignoring packet error", "the GDB server does not answer: see what it says itself"
        ),
    )

    def __init__(self, settings: GdbSettings, place: Place) -> None:
        self._server = _SERVERS[settings.server]
        self.address = settings.address or f"localhost:{self._server.port}"
        self._place = place
        self.timeout_s = settings.timeout_s

    def write(self, image: FirmwareImage) -> Call:
        """See Method."""
        return self._call([str(image.elf)], [*self.halt, "load", "compare-sections", *self._run])

    def reset(self) -> Call:
        """See Method."""
        return self._call([], self._run)

    @property
    def halt(self) -> tuple[str, ...]:
        """What resets the core and halts it."""
        return tuple(f"monitor {command}" for command in self._server.halt)

    @property
    def _run(self) -> list[str]:
        # Without it GDB kills what it has been connected to when it ends, and so would QEMU.
        return [*(f"monitor {command}" for command in self._server.run), "detach"]

    def _call(self, files: list[str], commands: list[str]) -> Call:
        script = [
            "set architecture arm",
            f"set tcp connect-timeout {_CONNECT_S}",
            f"set remotetimeout {_ANSWER_S}",
            f"target remote {self.address}",
            *commands,
        ]
        program = executable(self._place, ["arm-none-eabi-gdb", "gdb-multiarch"], "apt-get install gdb-multiarch")
        # A file of commands, unlike those of `-ex`, ends at the first that fails.
        file = self._place.run_dir / "gdb.commands"
        file.write_text("".join(f"{line}\n" for line in script), encoding="utf-8")
        return Call([program, "-nx", "-nh", "-batch", "-x", str(file), *files])
