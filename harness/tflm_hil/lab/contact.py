"""Sessions with a board's device, one after another, and what is known from one for the next."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tflm_hil.boards.board import Board
from tflm_hil.device.client import Client
from tflm_hil.device.device_info import DeviceInfo
from tflm_hil.device.identity import Layout, check_identity, check_layout
from tflm_hil.device.uart_log import UartLog
from tflm_hil.errors import DeviceError, LineError, MuteError
from tflm_hil.lab.build import Firmware
from tflm_hil.lab.dut import DeviceUnderTest, Progress, silent

_BROKEN_LINES = 3
"""So many sessions in a row whose line broke, or whose emulator failed, before the device said anything, are enough."""


class Contact:
    """Opens sessions. What would only cost time again is not tried again: a device that answers nothing.

    A line that breaks is another matter: ports come back, so the next session tries again.
    """

    def __init__(self) -> None:
        self._hopeless: dict[bytes, str] = {}
        self._broken = 0
        self._answered = False
        self._trouble = ""

    @contextmanager
    def connected(
        self,
        board: Board,
        firmware: Firmware,
        layout: Layout,
        log: Path,
        flash: bool,
        progress: Progress = silent,
    ) -> Iterator[DeviceUnderTest]:
        """Bring `firmware` onto `board`, reset, connect and check that the board runs this very image, with `layout`.

        Raises:
            HilError: it cannot be flashed or connected to.
            DeviceError: it does not answer, or runs another image.
        """
        # The log comes first: where the board cannot be reached, it must not be an earlier run's that is shown.
        with UartLog(log) as uart_log:
            # Where nothing is flashed the board runs one and the same image, whichever is asked for.
            image = firmware.image.build_id if flash else b""
            if image in self._hopeless:
                raise DeviceError(f"{self._hopeless[image]} (not tried again for {firmware.name})")
            if flash:
                board.flash(firmware.image)
            client = Client(board.connect(), uart_log, name=board.name)
            try:
                info = self._hello(board, client, image)
                check_identity(info, firmware.image.build_id, firmware.variant.sha256)
                check_layout(info, layout)
                yield DeviceUnderTest(firmware, board, client, info, progress)
            finally:
                self._trouble = client.failure or ""

    def _hello(self, board: Board, client: Client, image: bytes) -> DeviceInfo:
        try:
            info = client.hello()
        except LineError as error:
            raise self._once_more(image, error) from None
        except MuteError as error:
            if trouble := board.trouble():  # The next connection finds another emulator.
                raise self._once_more(image, DeviceError(f"{error} ({trouble})", error.log_tail)) from None
            told = self._mute(board, str(error))
            self._hopeless[image] = told
            raise DeviceError(told, error.log_tail) from None
        self._answered, self._broken = True, 0
        return info

    def _once_more(self, image: bytes, error: DeviceError) -> DeviceError:
        self._broken += 1
        if self._broken >= _BROKEN_LINES:
            self._hopeless[image] = str(error)
        return error

    def _mute(self, board: Board, said: str) -> str:
        """Return what to say of a device that does not answer: one that did so before is flashed, and needs a reset."""
        if not self._answered:
            return said
        since = f"since it failed in the session before ({self._trouble})" if self._trouble else "any more"
        return (
            f"{board.name} does not answer {since}, and nothing resets it from here:"
            " reset it by hand (its button, or its power), then run again"
        )
