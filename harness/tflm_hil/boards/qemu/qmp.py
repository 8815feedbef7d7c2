"""QEMU's monitor, one command at a time."""

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Coroutine
from typing import Any, TypeVar

from qemu.qmp import ExecuteError, QMPClient, QMPError

from tflm_hil.errors import HilError

TIMEOUT_S = 10.0

_CLOSE_S = 1.0

# What goes wrong is raised here; without a handler the library's own log of it would go to stderr.
logging.getLogger("qemu.qmp").addHandler(logging.NullHandler())

T = TypeVar("T")


class Monitor:
    """A QMP session over a connected socket, which it takes over.

    The library is asynchronous; its event loop runs only while a call is under way, which is all that a harness that
    asks and waits has need of. Every call is bounded in time and raises HilError when QEMU does not answer.
    """

    def __init__(self, connected: socket.socket) -> None:
        self._loop = asyncio.new_event_loop()
        self._client = QMPClient("hil")
        try:
            self._wait(self._client.connect(connected), "connecting")
        except HilError:
            self._loop.close()
            raise

    def execute(self, command: str, seconds: float = TIMEOUT_S) -> Any:
        """Return what QEMU answers to `command` within `seconds`."""
        return self._wait(self._execute(command), command, seconds)

    def ask(self, line: str, seconds: float = TIMEOUT_S) -> str:
        """Return what QEMU says to a command for humans."""
        return str(self._wait(self._execute("human-monitor-command", {"command-line": line}), line, seconds))

    def close(self) -> None:
        """Leave QEMU alone, be it there or not; closing twice is harmless."""
        if not self._loop.is_closed():
            with contextlib.suppress(HilError):  # It may have gone already: no news to someone who closes.
                self._wait(self._client.disconnect(), "disconnecting", _CLOSE_S)
            self._loop.close()

    async def _execute(self, command: str, arguments: dict[str, object] | None = None) -> Any:
        try:
            return await self._client.execute(command, arguments)
        except ExecuteError as error:
            # QEMU knows every command that is sent here, but it was seen to read `query-chradev` on a busy machine. A
            # command that it does not know was not executed, so it is sent again.
            if error.error_class != "CommandNotFound":
                raise
            return await self._client.execute(command, arguments)

    def _wait(self, answer: Coroutine[Any, Any, T], what: str, seconds: float = TIMEOUT_S) -> T:
        # Ctrl-C in the middle of the library's event loop would leave that half done, so it waits these milliseconds.
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            return self._loop.run_until_complete(asyncio.wait_for(answer, seconds))
        except TimeoutError:
            raise HilError(f"QEMU's monitor: no answer within {seconds:g} s ({what})") from None
        except (QMPError, OSError, EOFError) as error:
            raise HilError(f"QEMU's monitor: {what}: {error}") from None
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
