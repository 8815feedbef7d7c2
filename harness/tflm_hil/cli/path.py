"""`hil path`: where the firmware is that came with the harness."""

from __future__ import annotations

from tflm_hil.firmware import sources


def path() -> None:
    """Show where the firmware is: the protocol library in lib/protocol, the PlatformIO platform in platform.

    The harness sets HIL_FIRMWARE to it for each build. Where PlatformIO is called by hand, set it yourself.

    Example: HIL_FIRMWARE=$(hil path) pio run
    """
    print(sources.folder())
