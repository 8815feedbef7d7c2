"""Serial ports on USB: which are connected, and each found again under the name that it has now."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from serial.tools import list_ports

from tflm_hil.boards.serial import port_name

_MAKERS_OF_BOARDS = {
    0x0D28,  # Arm: DAPLink
    0x1366,  # SEGGER
    0x1915,  # Nordic Semiconductor
    0x2341,  # Arduino
    0x239A,  # Adafruit
    0x2886,  # Seeed Studio
    0x2A03,  # Arduino.org
    0x2E8A,  # Raspberry Pi
}
# ST's number is also that of many products that are no boards.
_PROBE = re.compile(r"st-?link|cmsis-dap|daplink|j-link", re.IGNORECASE)


@dataclass(frozen=True)
class UsbPort:
    """A serial port on USB, as boards are and built-in ports are not. Texts are "" where the device says nothing.

    `location` is where it is plugged in, such as 1-1.4; `interface`, such as 1.2, tells the ports of a device apart.
    """

    device: str
    vid: int
    pid: int
    serial_number: str
    location: str
    interface: str
    product: str

    @classmethod
    def of(cls, info: Any) -> Self:
        """What `info`, one of pyserial's list of ports, says."""
        location, _, interface = (info.location or "").partition(":")
        return cls(
            info.device,
            info.vid,
            info.pid,
            info.serial_number or "",
            location,
            interface,
            info.product or info.description or "",
        )

    @property
    def looks_like_a_board(self) -> bool:
        """Whether it is a debug probe's, or a board's with USB of its own; a bridge may lead to anything."""
        return self.vid in _MAKERS_OF_BOARDS or _PROBE.search(self.product) is not None

    @property
    def vid_pid(self) -> str:
        """E.g. 0483:374B."""
        return f"{self.vid:04X}:{self.pid:04X}"

    @property
    def device_identity(self) -> tuple[object, ...]:
        """Tells the device from others, under whatever name: by its serial number, or its place if it has none."""
        return self.vid, self.pid, self.serial_number or f"at {self.location}"

    @property
    def identity(self) -> tuple[object, ...]:
        """Tells the port from others, under whatever name."""
        return *self.device_identity, self.interface

    def __str__(self) -> str:
        said = (self.vid_pid, self.product, self.serial_number and f"serial number {self.serial_number}")
        return f"{self.device} ({', '.join(filter(None, said))})"


def connected() -> list[UsbPort]:
    """Return the ports on USB, sorted by their names."""
    infos = [info for info in list_ports.comports() if info.vid is not None]
    return [UsbPort.of(info) for info in sorted(infos, key=lambda info: str(info.device))]


def find(name: str) -> UsbPort | None:
    """Return the port that the user calls `name`; None where that is no device file on USB."""
    file = port_name.canonical(name)
    return next((port for port in connected() if str(Path(port.device).resolve()) == file), None)


def find_again(known: UsbPort) -> UsbPort | None:
    """Return the same port with the name that it has now; None where it is not connected."""
    return next((port for port in connected() if port.identity == known.identity), None)
