"""Every byte of a session, both ways, in one file: recorded, and read again. The format: docs/bug-reports.md."""

from __future__ import annotations

import stat
import time
from pathlib import Path
from typing import Annotated, Literal, Self, TextIO

import msgspec
from msgspec import Meta

from tflm_hil.device.connection import Connection
from tflm_hil.device.timeout import Clock
from tflm_hil.errors import HilError, LineError

SUFFIX = ".traffic"
FORMAT = "hil-traffic/1"

_PART = ".part"
"""What the name of a file ends with until the session has ended."""

Kind = Literal["open", ">", "<", "broke"]
"""A new connection; bytes to the device; bytes from it; the line broke."""


class Head(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The first line of a file: what was recorded, where and when. `emulator` is None on hardware."""

    schema: str = FORMAT
    created: str
    board: str
    emulator: str | None
    link: Annotated[str, Meta(pattern="^(uart|rtt)$")]
    model: str
    variant: str
    engine: str
    target: str
    build_id: Annotated[str, Meta(pattern="^([0-9a-f]{2})+$")]


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """A further line. `seconds` count from the beginning of the file; `text` holds bytes as hexadecimal digits."""

    seconds: float
    kind: Kind
    text: str = ""

    @property
    def data(self) -> bytes:
        """The bytes of `>` and `<`."""
        return bytes.fromhex(self.text)


class Traffic(msgspec.Struct, frozen=True):
    """A file that was read: the entries of each connection, without their `open`."""

    head: Head
    connections: list[list[Entry]]


class TrafficLog:
    """Writes a file. It gets its name when it is closed; until then, or if the run is killed, that ends with .part.

    Raises HilError if it cannot be written.
    """

    def __init__(self, path: Path, head: Head, clock: Clock = time.monotonic) -> None:
        self._path = path
        self._aside = path.with_name(path.name + _PART)
        self._clock = clock
        self._origin = clock()
        self._file: TextIO | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._aside.open("w", encoding="utf-8", buffering=1)
        except OSError as error:
            raise self._unwritable(error) from None
        self._write(head)

    def recorded(self, connection: Connection) -> Connection:
        """Return `connection`, all of whose traffic goes to the file as well."""
        self.add("open")
        return _Recorded(connection, self)

    def add(self, kind: Kind, text: str = "") -> None:
        """Write an entry."""
        printable = text.encode(errors="backslashreplace").decode()  # Names of ports may be any bytes.
        self._write(Entry(round(self._clock() - self._origin, 6), kind, printable))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the file its name; closing twice is harmless."""
        if self._file is not None:
            try:
                self._file.close()
                self._aside.replace(self._path)
            except OSError as error:
                raise self._unwritable(error) from None
            finally:
                self._file = None

    def _write(self, line: Head | Entry) -> None:
        if self._file is not None:
            try:
                self._file.write(msgspec.json.encode(line).decode() + "\n")
            except OSError as error:
                raise self._unwritable(error) from None

    def _unwritable(self, error: OSError) -> HilError:
        return HilError(
            f"{self._path}: cannot record the traffic: {error.strerror}; free some space or choose a folder"
        )


class _Recorded:
    """See TrafficLog.recorded."""

    def __init__(self, inner: Connection, log: TrafficLog) -> None:
        self._inner = inner
        self._log = log

    def read(self, timeout: float) -> bytes:
        """See Connection."""
        try:
            data = self._inner.read(timeout)
        except LineError as error:
            self._log.add("broke", str(error))
            raise
        if data:
            self._log.add("<", data.hex())
        return data

    def write(self, data: bytes) -> None:
        """See Connection."""
        self._log.add(">", data.hex())
        try:
            self._inner.write(data)
        except LineError as error:
            self._log.add("broke", str(error))
            raise

    def close(self) -> None:
        """See Connection."""
        self._inner.close()


def read_head(path: Path) -> Head:
    """Return the first line of a file. Raises HilError if it is none of traffic."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # A pipe without a writer would be waited for.
            raise HilError(f"{path}: is no file; name one that --hil-record-traffic made")
        with path.open("rb") as file:
            return _head(path, file.readline())
    except OSError as error:
        raise _unreadable(path, error) from None


def read_traffic(path: Path) -> Traffic:
    """Read a file; half a line at its end, of a run that was killed, is left out.

    Raises HilError with the number of the line that is wrong.
    """
    try:
        first, *lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise _unreadable(path, error) from None
    head = _head(path, first)
    connections: list[list[Entry]] = []
    for number, line in enumerate(lines[:-1], 2):
        try:
            entry = msgspec.json.decode(line, type=Entry)
            if entry.kind in (">", "<"):
                bytes.fromhex(entry.text)
        except (msgspec.MsgspecError, ValueError) as error:
            raise HilError(f"{path}: line {number} is damaged: {error}; record the traffic again") from None
        if entry.kind == "open":
            connections.append([])
        elif connections:
            connections[-1].append(entry)
        else:
            raise HilError(f"{path}: line {number} is damaged: nothing was opened before; record the traffic again")
    return Traffic(head, connections)


def _head(path: Path, line: bytes) -> Head:
    try:
        head = msgspec.json.decode(line, type=Head)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise HilError(f"{path}: no recorded traffic: {error}; make one with --hil-record-traffic") from None
    if head.schema != FORMAT:
        raise HilError(f"{path}: recorded as {head.schema}, this harness reads {FORMAT}: use the version that wrote it")
    return head


def _unreadable(path: Path, error: OSError) -> HilError:
    return HilError(f"{path}: cannot be read: {error.strerror}; name a file that --hil-record-traffic made")
