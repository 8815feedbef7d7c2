"""Cut gestures out of a running stream, by the rules of the sketch in firmware/uno (trigger.h)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from tflm_hil.capture.setup import Values
from tflm_hil.errors import HilError

_AXES = slice(0, 3)
_MEAN_S = 0.64
"""The time constant of the slow mean."""

_STILL_S = 0.5
"""So long the sensor rests before a motion is that of a gesture."""


@dataclass(frozen=True)
class Cut:
    """How gestures are cut; None is left to the source.

    A gesture has `rows` rows, of which `pre_trigger` are from before the motion that met `threshold_g`. With a
    threshold of 0 no motion is waited for. Raises HilError if that makes no sense.
    """

    threshold_g: float | None = None
    rows: int | None = None
    pre_trigger: int | None = None

    def __post_init__(self) -> None:
        rows = DEFAULT_ROWS if self.rows is None else self.rows
        if rows < 1:
            raise HilError(f"--rows={rows}: a gesture has at least one row")
        if self.pre_trigger is not None and not 0 <= self.pre_trigger < rows:
            raise HilError(f"--pre-trigger={self.pre_trigger}: choose 0 to {rows - 1}, less than a gesture has rows")
        if self.threshold_g is not None and not 0 <= self.threshold_g < float("inf"):
            raise HilError(f"--threshold={self.threshold_g:g}: choose a number of g, or 0 for no threshold")


DEFAULT_THRESHOLD_G = 0.5
DEFAULT_ROWS = 30
DEFAULT_PRE_TRIGGER = 5


class Trigger:
    """Takes rows one by one, `rate_hz` a second. A row belongs to one gesture at most.

    The motion of a row is the sum, over the three axes, of how far acceleration is from its slow mean: gravity is in
    both, so it does not count. A gesture begins with a row whose motion meets the threshold after half a second of
    rows that did not. The mean starts anew with each row that meets it, so that it is soon right when the arm ends up
    held otherwise.
    """

    def __init__(self, cut: Cut, rate_hz: float) -> None:
        self.threshold_g = DEFAULT_THRESHOLD_G if cut.threshold_g is None else cut.threshold_g
        self._rows = cut.rows or DEFAULT_ROWS
        before = DEFAULT_PRE_TRIGGER if cut.pre_trigger is None else cut.pre_trigger
        self._before: deque[Values] = deque(maxlen=min(before, self._rows - 1))
        self._follow = 1.0 / max(1.0, _MEAN_S * rate_hz)
        self._still_rows = max(1, round(_STILL_S * rate_hz))
        self._still = 0
        self._mean: Values | None = None
        self._gesture: list[Values] = []

    def take(self, row: Values) -> tuple[float, Values | None]:
        """Take a row [6]; return its motion in g, and the gesture [rows, 6] if it completes one."""
        acceleration = row[_AXES]
        motion = 0.0 if self._mean is None else float(np.abs(acceleration - self._mean).sum())
        if not self._gesture and not self._begins(motion):
            if self._mean is None or motion >= self.threshold_g:
                self._mean = acceleration
            else:
                self._mean = self._mean + self._follow * (acceleration - self._mean)
            self._before.append(row)
            return motion, None
        if not self._gesture:
            self._gesture += self._before
            self._before.clear()
        self._gesture.append(row)
        if len(self._gesture) < self._rows:
            return motion, None
        gesture, self._gesture, self._still, self._mean = np.array(self._gesture), [], 0, None
        return motion, gesture

    def _begins(self, motion: float) -> bool:
        if not self.threshold_g:
            return True
        moves = self._mean is not None and motion >= self.threshold_g
        if moves and self._still >= self._still_rows:
            return True
        self._still = 0 if moves else self._still + 1
        return False
