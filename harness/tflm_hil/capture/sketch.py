"""Gestures out of the lines of a sketch: blocks of rows, and what its comments say of the sensor."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tflm_hil.capture.setup import CHANNELS, Setup, Values
from tflm_hil.capture.sketch_lines import EXPECTED, Comment, Empty, Line, Lines, Row, Words, Wrong, parse
from tflm_hil.capture.sketch_settings import USUAL, Settings, keyword
from tflm_hil.capture.source import Event, Gesture, Note
from tflm_hil.capture.trigger import DEFAULT_ROWS
from tflm_hil.device.text import printable
from tflm_hil.errors import HilError

_NOISE_BYTES = 300
"""So much that is no text, before the first that is, means another baud rate."""

_BEYOND = 1.25
"""Values up to this factor beyond the range are believed: a sketch may have removed offsets."""

_MOST_BLOCKS = 4
"""A gesture of more than this many times its rows is no gesture: the sketch prints no empty lines."""


class Sketch:
    """Turns bytes into events.

    `told` is what the user says of the sensor and of gestures, which must not be what the sketch contradicts; `usual`
    is what neither of them says.
    """

    def __init__(self, told: Settings, usual: Settings = USUAL) -> None:
        self.spoke = False
        """Whether it has said anything that a sketch would say."""
        self.said = Settings()
        """What it has said of itself so far."""
        self._told = told
        self._usual = usual
        self._setup: Setup | None = None
        self._lines = Lines()
        self._number = 0
        self._noise_bytes = 0
        self._began = 0
        self._block: list[Values] = []
        self._wrong: list[str] = []

    def feed(self, data: bytes) -> Iterator[Event]:
        """Take what has arrived. Raises HilError, which names the line, if it cannot become rows of this sensor."""
        for content in self._lines.feed(data):
            self._number += 1
            try:
                line = parse(content)
                self._listen(line, content)
                yield from self._take(line)
            except HilError as error:
                raise HilError(f"line {self._number}: {error}") from None

    def _listen(self, line: Line, content: bytes) -> None:
        if isinstance(line, Wrong) and line.noise:
            self._noise_bytes += len(content)
            if not self.spoke and self._noise_bytes > _NOISE_BYTES:
                raise HilError(f"{self._noise_bytes} bytes that are no text; is the baud rate right (--baud)?")
        elif not isinstance(line, Empty):
            self.spoke = True

    def _take(self, line: Line) -> Iterator[Event]:
        if isinstance(line, Comment):
            yield from self._comment(line.text)
        elif isinstance(line, Empty):
            yield from self._end()
        elif isinstance(line, Row):
            self._add(line.values)
        elif isinstance(line, Words) and not (self._block or self._wrong):
            yield _says(line.text)
        elif isinstance(line, Words):
            self._refuse(f"{printable(line.text.encode())[:60]!r} is no row")
        elif isinstance(line, Wrong) and not (line.noise and not self.spoke):
            self._refuse(line.why)

    def _comment(self, text: str) -> Iterator[Event]:
        key = keyword(text)
        if key is None:
            yield _says(text)
            if self.said.rate_hz is not None:  # It has said what it has to say; that may not fit.
                yield self._known_setup()
            return
        self.said = self.said.with_comment(text)
        if contradiction := self._told.contradicts(self.said, key):
            raise HilError(f"{contradiction}; leave the option out, or change the sketch")
        self._setup = None

    def _add(self, values: Values) -> None:
        self._began = self._began or self._number
        ranges = self._known_setup().ranges
        beyond = np.abs(values) > _BEYOND * ranges
        if beyond.any():
            at = int(beyond.argmax())
            unit = "g" if at < CHANNELS.index("gX") else "dps"
            self._refuse(
                f"{CHANNELS[at]} is {values[at]:g}, but the sensor's range is {ranges[at]:g} {unit}"
                " (does the sketch print g and dps?)"
            )
            return
        self._block.append(values)
        if len(self._block) > _MOST_BLOCKS * self._rows:
            raise HilError(
                f"there are {len(self._block)} rows without an empty line; let the sketch print one after each gesture"
            )

    def _refuse(self, why: str) -> None:
        self._began = self._began or self._number
        self._wrong.append(f"line {self._number}: {why}")

    def _end(self) -> Iterator[Event]:
        block, wrong, began = self._block, self._wrong, self._began
        self._block, self._wrong, self._began = [], [], 0
        if not (block or wrong):
            return
        where = f"the gesture of lines {began} to {self._number - 1} is left out"
        if wrong:
            more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
            yield Note(f"{wrong[0]}{more}; expected {EXPECTED}; {where}")
        elif len(block) != self._rows:
            yield Note(f"{where}: it has {len(block)} rows, not {self._rows} (--rows)")
        else:
            yield self._known_setup()
            yield Gesture(np.array(block))

    @property
    def _rows(self) -> int:
        return self._told.rows or self.said.rows or self._usual.rows or DEFAULT_ROWS

    def _known_setup(self) -> Setup:
        """What the user and the comments say so far."""
        if self._setup is None:
            known = self._told.completed(self.said).completed(self._usual)
            if known.rate_hz is None:
                raise HilError("the sketch does not say how many rows a second these are; add --rate, e.g. --rate 50")
            self._setup = Setup(
                known.sensor or "",
                known.accelerometer_range_g or 0.0,
                known.gyroscope_range_dps or 0.0,
                known.rate_hz,
                known.offsets or (),
                bool(known.offsets_removed),
            )
        return self._setup


def _says(text: str) -> Note:
    return Note(f"the sketch says: {printable(text.encode())}")
