"""What is connected over USB, as far as pyserial tells."""

from __future__ import annotations

from pathlib import Path

from serial.tools.list_ports_common import ListPortInfo


def usb_port(device: Path | str, serial_number: str | None = None, location: str = "1-1:1.0") -> ListPortInfo:
    """A port of an ST-LINK V2-1."""
    info = ListPortInfo(str(device))
    info.vid, info.pid, info.product = 0x0483, 0x374B, "STM32 STLink"
    info.serial_number, info.location = serial_number, location
    return info
