"""The failures that the harness reports to people.

A `HilError` is something that the reader can mend: its message is one line that says what is wrong, where, and how to
mend it. A `DeviceError` is a device that hangs, reboots, crashes or sends wrong data; it also carries the last lines
of the UART log.
"""

from collections.abc import Iterator
from contextlib import contextmanager


class HilError(Exception):
    """Bad input or a missing piece of the environment. One line: what, where, how to mend it.

    `infrastructure` tells whether board, emulator, probe, toolchain or build is to blame, which says nothing of what
    the firmware does.
    """

    infrastructure = False


class InfrastructureError(HilError):
    """The toolchain or a build that failed, or a disk that takes nothing."""

    infrastructure = True


class DeviceError(HilError):
    """A device that misbehaved. `log_tail` holds the last lines of its UART log, oldest first."""

    def __init__(self, message: str, log_tail: list[str] | None = None) -> None:
        super().__init__(message)
        self.log_tail = log_tail or []


class RefusedError(DeviceError):
    """A device that refused a request. The session goes on."""


class LineError(DeviceError):
    """A serial line that broke: the port disappeared, the other side hung up, or it took no bytes. Open it again."""

    infrastructure = True


class BoardError(DeviceError):
    """A device that went silent because its board or its emulator failed, or that nothing can be written to."""

    infrastructure = True


class CrashError(DeviceError):
    """A device that has told of a fault of its program."""


class MuteError(DeviceError):
    """A device that never answered HELLO."""


@contextmanager
def infrastructure() -> Iterator[None]:
    """Whatever fails within is to be blamed on the infrastructure."""
    try:
        yield
    except HilError as error:
        error.infrastructure = True
        raise
