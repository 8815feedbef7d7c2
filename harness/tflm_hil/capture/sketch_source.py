"""Gestures of a sketch that prints them."""

from __future__ import annotations

import time
from collections.abc import Iterator

from tflm_hil.capture.sketch import Sketch
from tflm_hil.capture.sketch_settings import USUAL, Settings
from tflm_hil.capture.source import Event, Gesture, Note
from tflm_hil.capture.trigger import Cut
from tflm_hil.device.connection import Connection
from tflm_hil.device.timeout import Clock, Deadline
from tflm_hil.errors import HilError

_READ_S = 0.2
_WARN_S = 5.0
_GIVE_UP_S = 30.0
"""So long nothing may come before the first line: many a sketch waits for a motion without a word."""

_CHECK = "is the sketch of docs/capture.md on the board, and is the baud rate right (--baud)?"


class SketchSource:
    """A sketch behind `connection`, at the port `name`; `heard` is what it has sent already.

    `told` and `usual` are as of Sketch. What `cut` asks for is sent to a sketch that says of itself that it has such a
    setting; others cut as they do.
    """

    def __init__(
        self,
        connection: Connection,
        name: str,
        cut: Cut,
        told: Settings,
        heard: bytes = b"",
        usual: Settings = USUAL,
        clock: Clock = time.monotonic,
    ) -> None:
        self.name = name
        self._connection = connection
        self._sketch = Sketch(told, usual)
        self._heard = heard
        self._wanted = {
            "threshold_g": ("threshold", cut.threshold_g),
            "pretrigger_rows": ("pretrigger", cut.pre_trigger),
        }
        self._clock = clock

    def events(self) -> Iterator[Event]:
        """See Source."""
        wait = Deadline(_WARN_S, self._clock)
        warned = False
        yield from self._feed(self._heard)
        while True:
            yield from self._feed(self._connection.read(_READ_S))
            if self._sketch.spoke or not wait.expired:
                continue
            if warned:
                raise HilError(f"{self.name}: nothing came in {_WARN_S + _GIVE_UP_S:g} s: {_CHECK}")
            yield Note(f"{self.name}: nothing has come yet; move the sensor; if that does not help: {_CHECK}")
            warned = True
            wait.restart(_GIVE_UP_S)

    def _feed(self, data: bytes) -> Iterator[Event]:
        try:
            for event in self._sketch.feed(data):
                self._set()
                if isinstance(event, Gesture):
                    yield from self._unheeded()
                yield event
        except HilError as error:
            raise HilError(f"{self.name}: {error}") from None
        self._set()

    def _set(self) -> None:
        """Ask once for each setting that the sketch has, and has otherwise."""
        for key, (command, wanted) in self._wanted.items():
            has = getattr(self._sketch.said, key)
            if wanted is None or has is None:
                continue
            if has != wanted:
                self._connection.write(f"{command} {wanted:g}\n".encode())
            self._wanted[key] = command, None

    def _unheeded(self) -> Iterator[Event]:
        for key, (command, wanted) in self._wanted.items():
            if wanted is not None:
                yield Note(f"{self.name}: the sketch has no {command} to set; it cuts gestures as it does")
                self._wanted[key] = command, None
