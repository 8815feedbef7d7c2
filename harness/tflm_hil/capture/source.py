"""What a source of gestures tells, whatever is behind it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from tflm_hil.capture.setup import Setup, Values


@dataclass(frozen=True, eq=False)
class Gesture:
    """One gesture: `values` as in setup.py."""

    values: Values


@dataclass(frozen=True)
class Note:
    """Something to tell the user."""

    text: str


@dataclass(frozen=True)
class Level:
    """The motion that the trigger sees now, and what it waits for, both in g; see trigger.py."""

    g: float
    threshold_g: float


Event = Setup | Gesture | Note | Level


class Source(Protocol):
    """Where gestures come from. `name` is for people."""

    name: str

    def events(self) -> Iterator[Event]:
        """Yield what happens, without an end; a Setup comes before the first Gesture.

        Raises HilError if nothing comes, or nothing that can be used, and DeviceError if the line breaks.
        """
