"""Ctrl-C, SIGTERM and the end of the terminal end a session in order.

Fixtures stop their emulators, and the reports are written.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from types import FrameType
from typing import Any

# Stopping an emulator and writing the reports takes less. After it, one more signal ends the process at once.
GRACE_S = 15.0
ANSWER = f"\nhil: stopping the board and writing the reports; interrupt again after {GRACE_S:.0f} s to give up\n"
DEFAULTS = {
    signal.SIGINT: signal.default_int_handler,
    signal.SIGTERM: signal.SIG_DFL,
    signal.SIGHUP: signal.SIG_DFL,
}


class Interruption:
    """Takes these signals over where nobody else has: `nohup` has SIGHUP ignored, and so it stays.

    The first one is a KeyboardInterrupt. Those that follow would break into the unwinding that it started, so they are
    only answered. `ending` makes it the same for a session that ends by itself.
    """

    def __init__(self) -> None:
        self._since: float | None = None
        self._before: dict[signal.Signals, Any] = {}
        if threading.current_thread() is threading.main_thread():
            for number, default in DEFAULTS.items():
                if signal.getsignal(number) is default:
                    self._before[number] = signal.signal(number, self._handle)

    def ending(self) -> None:
        """From now on the session is being ended."""
        if self._since is None:
            self._since = time.monotonic()

    def restore(self) -> None:
        """Give the signals back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _handle(self, _number: int, _frame: FrameType | None) -> None:
        if self._since is None or time.monotonic() > self._since + GRACE_S:
            self.ending()
            raise KeyboardInterrupt
        with contextlib.suppress(OSError):  # The terminal may be gone: that is what SIGHUP says, and shells repeat it.
            os.write(2, ANSWER.encode())
