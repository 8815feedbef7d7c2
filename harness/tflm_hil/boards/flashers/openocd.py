"""OpenOCD: see openocd.org/doc, and OpenOcdSettings."""

from __future__ import annotations

import re
from pathlib import Path

from tflm_hil.boards import probes
from tflm_hil.boards.flashers.tool import Call, Complaint, Place, executable
from tflm_hil.firmware.image import FirmwareImage
from tflm_hil.targets.flash import OpenOcdSettings

# Which probes a configuration can take: another kind beside them leaves no doubt.
_KINDS = {"stlink": probes.ST_LINK, "cmsis-dap": probes.CMSIS_DAP, "jlink": probes.J_LINK}
_NO_PROBE = "found no debug probe: connect it, and close other programs that use it (see `hil doctor`)"


class OpenOcd:
    """See Method."""

    tool = "openocd"
    complaints = (
        Complaint(
            r"LIBUSB_ERROR_ACCESS", "may not open the debug probe: install its udev rules, then connect it again"
        ),
        Complaint(r"LIBUSB_ERROR_BUSY", "cannot open the debug probe: another program uses it; close that"),
        Complaint(r"open failed|unable to find a matching CMSIS-DAP|No J-Link device found|no device found", _NO_PROBE),
        Complaint(r"Multiple devices found", "found several debug probes: name one with probe = ... in [flash]"),
        Complaint(r"Can't find (?P<file>\S+)", "does not find a file of config in [flash]: correct its name"),
        Complaint(
            r"device protected|device is protected|is secured|AP lock engaged|APPROTECT|MASS ERASE REQUIRED",
            "the chip is locked against debuggers: unlock it, which erases it (e.g. `stm32f4x unlock 0`, `nrf5"
            " mass_erase`, `nrf52_recover`)",
        ),
        Complaint(
            r"unable to connect to the target|cannot read IDR|Error connecting DP"
            r"|Target not examined|scan chain interrogation failed",
            "reaches the probe, but not the chip: is the board powered, and the probe wired to it?",
        ),
        Complaint(r"checksum mismatch|[Vv]erify failed|contents differ", "what it read back differs from the image"),
    )

    def __init__(self, settings: OpenOcdSettings, place: Place) -> None:
        self._settings = settings
        self._place = place
        self.timeout_s = settings.timeout_s

    def write(self, image: FirmwareImage) -> Call:
        """See Method."""
        return self._call("disabled", *steps(_quoted(image.elf)), "shutdown")

    def reset(self) -> Call:
        """See Method."""
        return self._call("disabled", "reset run", "shutdown")

    def serve(self, port: int) -> Call:
        """How to serve GDB at `port`."""
        return self._call(str(port))

    def _call(self, gdb_port: str, *commands: str) -> Call:
        kinds = [kind for name, kind in _KINDS.items() if any(name in file for file in self._settings.config)]
        serial = probes.choose(self._settings.probe, kinds, self._place.board, self._place.usb_serial)
        return Call(
            [
                executable(self._place, ["openocd"], "apt-get install openocd"),
                *("-s", str(self._place.origin.parent)),
                *(argument for file in self._settings.config for argument in ("-f", file)),
                # Another one of it may have these ports.
                *("-c", f"gdb_port {gdb_port}; tcl_port disabled; telnet_port disabled"),
                *(("-c", f"adapter serial {serial}") if serial else ()),
                *(argument for command in ("init", *commands) for argument in ("-c", command)),
            ]
        )


def steps(elf: str) -> list[str]:
    """Return the steps of OpenOCD's `program`, which itself takes no spaces in names. `elf` is a word of Tcl."""
    return ["reset init", f"flash write_image erase {elf}", f"verify_image {elf}", "reset run"]


def _quoted(path: Path) -> str:
    """Return `path` as one word of Tcl."""
    return re.sub(r"([^\w/.-])", r"\\\1", str(path))
