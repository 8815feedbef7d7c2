"""pyOCD: see pyocd.io/docs, and PyOcdSettings."""

from __future__ import annotations

from tflm_hil.boards import probes
from tflm_hil.boards.flashers.tool import Call, Complaint, Place, executable
from tflm_hil.firmware.image import FirmwareImage
from tflm_hil.targets.flash import PyOcdSettings

_KINDS = (probes.ST_LINK, probes.CMSIS_DAP, probes.J_LINK)


class PyOcd:
    """See Method."""

    tool = "pyocd"
    complaints = (
        Complaint(
            r"No connected debug probe|No target device available",
            "found no debug probe: connect it, and close other programs that use it (see `hil doctor`)",
        ),
        Complaint(
            r"Enter the number of the debug probe|More than one debug probe matches",
            "found several debug probes: name one with probe = ... in [flash]",
        ),
        Complaint(
            r"Target type \S+ not recognized",
            "does not know this chip: correct chip in [flash] (`pyocd list --targets`), or install its support"
            " (`pyocd pack install CHIP`)",
        ),
        Complaint(
            r"APPROTECT enabled|is locked|[Ff]lash security|read protection",
            "the chip is locked against debuggers: unlock it, which erases it (`pyocd erase --mass`)",
        ),
        Complaint(
            r"No ACK|SWD/JTAG communication failure|Unexpected ACK|Error attempting to access|no cores were discovered",
            "reaches the probe, but not the chip: is the board powered, and the probe wired to it?",
        ),
        Complaint(
            r"no flash region|No flash memory|outside of|not in any memory region|No memory region defined",
            "the image does not lie in the flash of this chip: correct chip in [flash], or the target",
        ),
    )

    def __init__(self, settings: PyOcdSettings, place: Place) -> None:
        self._settings = settings
        self._place = place
        self.timeout_s = settings.timeout_s

    def write(self, image: FirmwareImage) -> Call:
        """See Method."""
        return self._call("flash", "--format", "elf", str(image.elf))

    def reset(self) -> Call:
        """See Method."""
        return self._call("reset")

    def serve(self, port: int) -> Call:
        """How to serve GDB at `port`; it also wants a port for semihosting, any that is free."""
        return self._call("gdbserver", "--persist", "-p", str(port), "-T", "0")

    def _call(self, command: str, *arguments: str) -> Call:
        serial = probes.choose(self._settings.probe, _KINDS, self._place.board, self._place.usb_serial)
        return Call(
            [
                executable(self._place, ["pyocd"], "pip install pyocd"),
                command,
                "-W",  # or it waits for a probe to be connected
                *("-t", self._settings.chip),
                *(("-u", serial) if serial else ()),
                *arguments,
            ]
        )
