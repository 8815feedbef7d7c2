"""A fake device behind a pseudo-terminal of this process."""

from __future__ import annotations

import os
import select
import termios
import threading
import tty
from collections.abc import Iterator
from contextlib import contextmanager

from support.fake_device import FakeDevice


@contextmanager
def serving(device: FakeDevice, baud: int | None = None) -> Iterator[str]:
    """Serve `device`; yield the path of its terminal. With `baud` it does not understand what comes at another rate."""
    master, slave = os.openpty()
    tty.setraw(slave)
    stop, stopped = os.pipe()

    def serve() -> None:
        while stop not in (readable := select.select([master, stop], [], [])[0]):
            received = os.read(readable[0], 4096)
            if baud is None or termios.tcgetattr(slave)[4] == getattr(termios, f"B{baud}"):
                os.write(master, device.feed(received))

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield os.ttyname(slave)
    finally:
        os.close(stopped)
        thread.join()
        for descriptor in (master, slave, stop):
            os.close(descriptor)
