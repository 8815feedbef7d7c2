"""Sessions with a board's device, one after another, and what is known from one for the next."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tflm_hil.boards.board import Board
from tflm_hil.device.client import Client
from tflm_hil.device.connection import Connection
from tflm_hil.device.device_info import DeviceInfo
from tflm_hil.device.identity import Layout, build, check_identity, check_layout
from tflm_hil.device.traffic import Head, TrafficLog
from tflm_hil.device.uart_log import UartLog
from tflm_hil.errors import (
    BoardError,
    DeviceError,
    HilError,
    InfrastructureError,
    LineError,
    MuteError,
    infrastructure,
)
from tflm_hil.firmware.image import NO_BUILD_ID, FirmwareImage
from tflm_hil.lab.build import Firmware
from tflm_hil.lab.dut import DeviceUnderTest, Progress, silent
from tflm_hil.lab.losses import Streak, again
from tflm_hil.lab.options import Flash
from tflm_hil.progress import Say
from tflm_hil.progress import silent as unsaid

_BROKEN_LINES = 3
"""So many sessions in a row whose line broke, or whose emulator failed, before the device said anything, are enough."""

_ASKED_AGAIN = 2
"""A board that may be flashed is asked what it runs thrice, not six times: a blank one answers nothing."""

Answer = tuple[Client, DeviceInfo]


class Contact:
    """Opens sessions. What would only cost time again is not tried again: a device that answers nothing.

    A line that breaks is another matter: ports come back, so the next session tries again.
    """

    def __init__(self) -> None:
        self._hopeless: dict[str, DeviceError] = {}
        self._streaks: dict[str, Streak] = {}
        self._written = ""
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
        flash: Flash,
        progress: Progress = silent,
        say: Say = unsaid,
        traffic: Path | None = None,
    ) -> Iterator[DeviceUnderTest]:
        """Bring `firmware` onto `board`, reset, connect and check that the board runs this very image, with `layout`.

        `say` is told of the flashing, and all `traffic` goes to that file.

        Raises:
            HilError: it cannot be flashed or connected to.
            DeviceError: it does not answer, or runs another image.
        """
        # The log comes first: where the board cannot be reached, it must not be an earlier run's that is shown.
        with UartLog(log) as uart_log, _Recorder(traffic, board, firmware) as recorder:
            notes = _Notes(uart_log, recorder)
            # Where nothing is flashed the board runs one and the same image, whichever is asked for.
            key = "" if flash is Flash.NEVER else firmware.image.elf_sha256
            streak = self._streaks.setdefault(key, Streak())
            client: Client | None = None

            def connect() -> Answer:
                nonlocal client
                self._over(client)
                if error := self._hopeless.get(key) or streak.verdict:
                    raise again(error, f"{error} (not tried again for {firmware.name})")
                client, info = self._bring(board, firmware.image, key, flash, notes, say)
                check_identity(info, firmware.image.build_id, firmware.variant.sha256)
                check_layout(info, layout)
                return client, info

            try:
                yield DeviceUnderTest(firmware, board, connect, streak, progress)
            finally:
                self._over(client)

    def _over(self, client: Client | None) -> None:
        """Keep what went wrong in a session: a device that is mute in the next one was broken in this."""
        if client is not None:
            self._trouble = client.failure or ""

    def _bring(self, board: Board, image: FirmwareImage, key: str, flash: Flash, notes: _Notes, say: Say) -> Answer:
        """The device, which runs `image` unless nothing is to be flashed."""
        if flash is Flash.NEVER:
            return self._greet(board, image, key, notes)
        if not board.persistent:
            with infrastructure():
                board.flash(image, say)
            return self._greet(board, image, key, notes)
        # Without a build id nobody can tell what the board runs, so it is flashed once a run.
        known = flash is Flash.AUTO and image.build_id != NO_BUILD_ID
        reason = ""
        if known or self._written == image.elf_sha256:
            found = self._ask(board, image, key, notes)
            if not isinstance(found, str):
                return found
            reason = found
        return self._flash(board, image, reason, key, notes, say)

    def _ask(self, board: Board, image: FirmwareImage, key: str, notes: _Notes) -> Answer | str:
        """The device if it runs `image`; otherwise what it runs or does instead."""
        client = notes.client(board)
        try:
            info = client.hello(_ASKED_AGAIN)
        except LineError as error:
            raise self._once_more(key, error) from None
        except MuteError as error:
            self._check_board(board, key, error)
            return self._mute(board, str(error))
        except DeviceError as error:  # It has crashed, or speaks another version of the protocol.
            return str(error)
        self._heard()
        if info.build_id != image.build_id:
            return f"{board.name} runs {build(info.build_id)}, not {build(image.build_id)}"
        client.runs(image.elf)
        return client, info

    def _flash(self, board: Board, image: FirmwareImage, reason: str, key: str, notes: _Notes, say: Say) -> Answer:
        """The device, flashed with `image`. Only what it says of itself tells whether that worked: tools lie."""
        try:
            how = board.flash(image, say)
        except HilError as error:
            told = f"{reason}; it was not flashed: {error}" if reason else str(error)
            self._hopeless[key] = BoardError(told)
            raise InfrastructureError(told) from None
        self._written = image.elf_sha256
        try:
            client, info = self._greet(board, image, key, notes)
        except MuteError as error:
            told = f"{error}, though it has just been flashed: {how}"
            self._hopeless[key] = DeviceError(told, error.log_tail)
            raise self._hopeless[key] from None
        if info.build_id != image.build_id and any(info.build_id):
            self._hopeless[key] = BoardError(
                f"{board.name} still runs {build(info.build_id)} after it was flashed with {build(image.build_id)}:"
                f" {how}"
            )
            raise self._hopeless[key]
        return client, info

    def _greet(self, board: Board, image: FirmwareImage, key: str, notes: _Notes) -> Answer:
        client = notes.client(board)
        client.runs(image.elf)
        try:
            info = client.hello()
        except LineError as error:
            raise self._once_more(key, error) from None
        except MuteError as error:
            self._check_board(board, key, error)
            told = self._mute(board, str(error))
            self._hopeless[key] = MuteError(told, error.log_tail)
            raise self._hopeless[key] from None
        self._heard()
        return client, info

    def _check_board(self, board: Board, key: str, error: MuteError) -> None:
        """Raise BoardError if it is the board's fault: the next session finds another emulator, or the port free."""
        if trouble := board.trouble():
            raise self._once_more(key, BoardError(f"{error} ({trouble})", error.log_tail)) from None

    def _heard(self) -> None:
        self._answered, self._broken = True, 0

    def _once_more(self, key: str, error: DeviceError) -> DeviceError:
        self._broken += 1
        if self._broken >= _BROKEN_LINES:
            self._hopeless[key] = error
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


@dataclass(frozen=True)
class _Notes:
    """What is written down of a session: its frames, and all traffic if that is recorded."""

    log: UartLog
    traffic: _Recorder

    def client(self, board: Board) -> Client:
        """Connect to `board`."""
        with infrastructure():
            connection = board.connect()
        return Client(self.traffic.recorded(connection), self.log, name=board.name)


class _Recorder:
    """Records all traffic with `board` in the file `path`, if that is given, from the first connection on.

    Before that the link may not be known: that of the emulated board depends on the image that it was given.
    """

    def __init__(self, path: Path | None, board: Board, firmware: Firmware) -> None:
        self._path = path
        self._board = board
        self._firmware = firmware
        self._log: TrafficLog | None = None

    def recorded(self, connection: Connection) -> Connection:
        """Return `connection`, whose traffic is recorded. Raises HilError if the file cannot be written."""
        if self._path is None:
            return connection
        self._log = self._log or TrafficLog(self._path, self._head())
        return self._log.recorded(connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        if self._log is not None:
            self._log.close()

    def _head(self) -> Head:
        return Head(
            created=time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            board=self._board.name,
            emulator=self._board.emulator,
            link=self._board.link,
            model=self._firmware.model.name,
            variant=self._firmware.variant.name,
            engine=self._firmware.engine,
            target=self._firmware.target,
            build_id=self._firmware.image.build_id.hex(),
        )
