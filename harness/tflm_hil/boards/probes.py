"""The debug probes on USB, as far as Linux tells without opening them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from tflm_hil.errors import HilError

ST_LINK, CMSIS_DAP, J_LINK = "ST-LINK", "CMSIS-DAP", "J-Link"

DEVICES = Path("/sys/bus/usb/devices")
FILES = Path("/dev/bus/usb")

# The numbers of their makers. A CMSIS-DAP probe may be anyone's, but its product string says what it is (the
# specification of CMSIS-DAP, "USB configuration").
ST, SEGGER = "0483", "1366"
ST_LINK_PRODUCTS = ("3744", "3748", "374a", "374b", "374d", "374e", "374f", "3752", "3753", "3754", "3755", "3757")


@dataclass(frozen=True)
class Probe:
    """One of ST_LINK, CMSIS_DAP and J_LINK, and what it says of itself; `serial` is "" where it has none.

    `file` is the one that tools open.
    """

    kind: str
    serial: str
    product: str
    file: Path

    def __str__(self) -> str:
        return f"{self.product or self.kind} {self.serial or 'without a serial number'}"


def connected() -> list[Probe]:
    """Return the debug probes that are connected; none where the system does not tell."""
    return sorted(filter(None, map(_probe, DEVICES.glob("*"))), key=str)


def choose(named: str | None, kinds: Collection[str], board: str, usb_serial: str) -> str | None:
    """Return the serial number of the probe of `board`, or None if there is no choice.

    That is the one that was `named`, else the one with the serial number of the board's port. Raises HilError where
    several of `kinds` are connected and it may be any of them: tools take the first, which may be another board's.
    """
    there = [found for found in connected() if found.kind in kinds]
    if named or len(there) < 2:
        return named
    if usb_serial in [found.serial for found in there if found.serial]:
        return usb_serial
    raise HilError(
        f"{board}: {len(there)} debug probes are connected ({'; '.join(map(str, there))}): name that of this board,"
        ' with probe = "SERIAL NUMBER" in its [flash]'
    )


def _probe(device: Path) -> Probe | None:
    def said(what: str) -> str:
        try:
            return (device / what).read_text(encoding="utf-8", errors="replace").strip()
        except OSError:
            return ""

    vendor, product = said("idVendor"), said("product")
    if vendor == ST and said("idProduct") in ST_LINK_PRODUCTS:
        kind = ST_LINK
    elif vendor == SEGGER:
        kind = J_LINK
    elif "CMSIS-DAP" in product or _has_dap_interface(device):
        kind = CMSIS_DAP
    else:
        return None
    return Probe(kind, said("serial"), product, FILES / said("busnum").zfill(3) / said("devnum").zfill(3))


def _has_dap_interface(device: Path) -> bool:
    """Whether an interface says so where the device itself does not."""
    names = device.glob(f"{device.name}:*/interface")
    try:
        return any("CMSIS-DAP" in name.read_text(encoding="utf-8", errors="replace") for name in names)
    except OSError:
        return False
