"""Which link an emulated machine has: its UART, or rings in its memory, which are faster by far."""

from tflm_hil.boards.spec import AUTO, RTT, UART
from tflm_hil.device.rtt import Place
from tflm_hil.firmware.image import FirmwareImage
from tflm_hil.targets import FLASH

_OURS = "hil_rtt"
"""The symbol of a control block whose rings carry our protocol (firmware/lib/rtt)."""

_ANY = "_SEGGER_RTT"
"""The symbol that tools look for: of a control block for whatever an application says."""


def place_of_rings(image: FirmwareImage, asked: str) -> Place | None:
    """Return where `image` has its rings, if they are its link, None if that is its UART.

    `asked` is UART, RTT, or AUTO, which takes the rings where they carry our protocol.
    """
    addresses = {symbol.name: symbol.address for symbol in image.symbols if symbol.name in (_OURS, _ANY)}
    if asked == UART or (asked == AUTO and _OURS not in addresses):
        return None
    ram = [
        range(region.origin, region.origin + region.bytes)
        for name, region in image.target.memory.items()
        if name != FLASH
    ]
    return Place(addresses.get(_OURS, addresses.get(_ANY)), ram, speaks=_OURS in addresses)


def name_of_link(place: Place | None) -> str:
    """Return UART or RTT."""
    return UART if place is None else RTT
