"""A place, and the serial line of its board."""

from __future__ import annotations

from dataclasses import replace

from tflm_hil.boards.labgrid.keeper import Keeper
from tflm_hil.boards.labgrid.keeper_process import START_S, Acquired, Question
from tflm_hil.boards.labgrid.place import SerialServer
from tflm_hil.boards.labgrid.request import PlaceRequest
from tflm_hil.boards.serial.board import SerialLine
from tflm_hil.boards.serial.port import Port
from tflm_hil.boards.spec import UART
from tflm_hil.device.connection import Connection
from tflm_hil.errors import HilError
from tflm_hil.progress import Say, silent
from tflm_hil.targets.target import Uart

RETURN_S = 30.0
"""A coordinator looks every 15 s whether an exporter is back, and gives the place its resources again."""

_NEWS_S = 2.0


class PlaceLine:
    """A place that fits `request`, and the line of its board wherever its exporter serves it: Console and Lease.

    After a release, `open` acquires the same place again: a run has one board. What is waited for in vain is not waited
    for again.
    """

    link = UART

    def __init__(self, request: PlaceRequest, uart: Uart) -> None:
        self._request = request
        self._uart = uart
        self._wait_s = request.wait_s
        self._patience = START_S
        self._keeper: Keeper | None = None
        self._line: SerialLine | None = None
        self._url = ""

    def acquire(self, say: Say) -> Acquired:
        """Acquire a place. Raises HilError; see PlaceQueue."""
        wait_s, self._wait_s = self._wait_s, 0.0
        self._keeper = keeper = Keeper()
        try:
            acquired = keeper.ask(Question("acquire", self._request, wait_s), Acquired, say)
        except BaseException:
            self._keeper = None
            keeper.close()
            raise
        self._wait_s = self._request.wait_s
        self._request = replace(self._request, name=acquired.place, tags={})
        return acquired

    @property
    def url(self) -> str:
        """Where the serial port is served now. Raises HilError."""
        if self._keeper is None:
            self.acquire(silent)
        assert self._keeper is not None
        patience, self._patience = self._patience, 0.0
        return self._url_of(self._keeper.ask(Question("serial_port", seconds=patience), SerialServer))

    def open(self) -> Connection:
        """See Console."""
        url = self.url
        if self._line is None or url != self._url:
            self.close()
            self._url = url
            self._line = SerialLine(Port(url, self._uart, self._request.board, self._why))
        try:
            connection = self._line.open()
        except HilError as error:
            raise HilError(f"{error} ({self._why()})") from None
        self._patience = RETURN_S
        return connection

    def close(self) -> None:
        """See Console."""
        if self._line is not None:
            self._line.close()

    def trouble(self) -> str:
        """See Lease."""
        return self._keeper.ask(Question("trouble"), str) if self._keeper else ""

    def release(self) -> None:
        """See Lease. Raises HilError if nobody can be told."""
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            try:
                if keeper.in_step:
                    keeper.ask(Question("release"), type(None))
            finally:
                keeper.close()

    def _url_of(self, server: SerialServer) -> str:
        host = f"[{server.host}]" if ":" in server.host else server.host
        if server.protocol == "rfc2217":
            # ser2net confirms no control lines of a port that has none, and labgrid's own console does not ask either.
            return f"rfc2217://{host}:{server.port}?ign_set_control&timeout=3"
        if server.baud != self._uart.baud:
            raise HilError(
                f"board {self._request.board}: exporter {server.exporter} serves {server.name} at {server.baud} baud,"
                f" but the target takes {self._uart.baud}: correct it there, or let it serve rfc2217"
            )
        return f"socket://{host}:{server.port}"

    def _why(self) -> str:
        """Return what is wrong with the line, as far as the coordinator knows."""
        trouble = self._keeper.ask(Question("trouble", seconds=_NEWS_S), str) if self._keeper else ""
        return trouble or "is the board still connected there?"
