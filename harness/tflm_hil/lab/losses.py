"""Recordings that a device did not answer to their end: which, where in it, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tflm_hil.errors import BoardError, DeviceError, HilError

MOST_IN_A_ROW = 3
"""After so many losses without an answer in between, nothing else is tried: it would only cost time."""


@dataclass(frozen=True)
class Loss:
    """A recording or stimulus, by its name, without all its answers.

    `window` is the first of the recording that has none. It is None for a stimulus, and for what was `tried` no more.
    """

    name: str
    error: HilError
    window: int | None = None
    tried: bool = True

    def __str__(self) -> str:
        where = f" at window {self.window}" if self.window is not None else ""
        return f"{self.name}{where}{'' if self.tried else ', not tried'}: {self.error}"


class LostError(DeviceError):
    """Recordings or stimuli that were lost; `others` were answered."""

    def __init__(self, losses: Sequence[Loss], others: bool) -> None:
        untried = [loss for loss in losses if not loss.tried]
        lines = [f"lost {loss}" for loss in losses if loss.tried]
        if untried:
            more = f" and {len(untried) - 1} more" if len(untried) > 1 else ""
            lines.append(f"lost {untried[0].name}{more}, not tried: {untried[0].error}")
        tail = next((loss.error.log_tail for loss in losses if isinstance(loss.error, DeviceError)), [])
        super().__init__("\n".join([*lines, "the others were answered" if others else "nothing was answered"]), tail)
        self.infrastructure = all(loss.error.infrastructure for loss in losses)


class Streak:
    """Losses in a row, over all sessions with one image."""

    def __init__(self) -> None:
        self._count = 0
        self._last: Loss | None = None

    def answered(self) -> None:
        """Begin anew: a recording has all its answers."""
        self._count = 0

    def lost(self, loss: Loss) -> None:
        """Count a loss."""
        self._count += 1
        self._last = loss

    @property
    def verdict(self) -> DeviceError | None:
        """Why nothing else should be tried; None as long as it should."""
        if self._last is None or self._count < MOST_IN_A_ROW:
            return None
        return again(self._last.error, f"{self._count} in a row were lost, the last of them {self._last}")


def again(error: HilError, message: str) -> DeviceError:
    """An error that says `message` because of `error`, and blames the same side."""
    return BoardError(message) if error.infrastructure else DeviceError(message)
