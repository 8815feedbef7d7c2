"""One board of several that share the work of a run."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from tflm_hil.boards.board import Board
from tflm_hil.boards.selection import BoardChoice
from tflm_hil.errors import DeviceError
from tflm_hil.lab.build import Firmware
from tflm_hil.lab.dut import DeviceUnderTest, Progress
from tflm_hil.lab.fleet import FOLDER, ActivityFile
from tflm_hil.lab.session import Session
from tflm_hil.progress import Say
from tflm_hil.progress import silent as unsaid


class Member:
    """A board of a pool, opened when it is first needed; what it writes goes to `folder`.

    One that is not `alone` must count as the others do.
    """

    def __init__(self, number: int, choice: BoardChoice, session: Session, folder: Path, alone: bool) -> None:
        self.number = number
        self.name = choice.name
        self.windows = 0
        self.ended = ""
        self._choice = choice
        self._session = session
        self._folder = folder
        self._alone = alone
        self._board: Board | None = None
        self._file: ActivityFile | None = None
        self._thread: ThreadPoolExecutor | None = None

    @property
    def thread(self) -> ThreadPoolExecutor:
        """A thread of its own, as long as it is open: on Linux a process ends with the thread that started it."""
        self._thread = self._thread or ThreadPoolExecutor(1, self.name)
        return self._thread

    @property
    def opened(self) -> Board | None:
        """The board, if it is open."""
        return self._board

    def open(self, say: Say = unsaid) -> Board:
        """Open the board, or return it. Raises HilError."""
        if self._board is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._board = self._session.open_board(self._folder, say, self._choice)
            self._file = ActivityFile(self._session.options.root / FOLDER, self.name)
        return self._board

    @contextmanager
    def connected(
        self, firmware: Firmware, what: str, log: Path, progress: Progress, say: Say
    ) -> Iterator[DeviceUnderTest]:
        """A session with `firmware` on this board, for `what`; see Session.connected."""
        board, last = self.open(say), 0

        def counted(kind: str, done: int, total: int) -> None:
            nonlocal last
            self.windows += done - last if done >= last else done
            last = done
            if self._file is not None:
                self._file.progress(done, total)
            progress(kind, done, total)

        self.at(firmware, what)
        try:
            with self._session.connected(board, firmware, log, counted, say) as device:
                if device.refused_counter and not self._alone:
                    raise DeviceError(device.refused_counter)
                yield device
        finally:
            if self._file is not None:
                self._file.end()

    def at(self, firmware: Firmware, what: str) -> None:
        """Let `hil fleet` know."""
        if self._file is not None:
            self._file.begin(firmware.name, what)

    def close(self) -> None:
        """Close the board; it may be opened again."""
        board, self._board = self._board, None
        try:
            if board is not None:
                board.close()
        finally:
            if self._file is not None:
                self._file.remove()
            if self._thread is not None:
                self._thread.shutdown()
                self._thread = None
