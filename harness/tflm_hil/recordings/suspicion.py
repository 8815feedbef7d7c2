"""Find suspicious recordings: values that do not fit the sensor, and times with holes. They may still be right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tflm_hil.recordings.block import Block
from tflm_hil.recordings.channel import Channel
from tflm_hil.recordings.units import comparable, conversion

FULL_SCALE = 32768
MARGIN = 1.01
"""Values up to this factor beyond full scale are not suspicious: 2000 dps are 32,800 counts of an MPU6050."""

LOST = 0.5
"""Rounding to counts is suspicious if it removes more than this fraction of a signal's variation."""

FAINT = 0.01
"""A signal is suspicious if it never exceeds this fraction of its range."""

MOST_G = 16
"""The range of an accelerometer if the manifest does not give it: the widest usual one, in g."""

DEVIATIONS = 3
"""The number of standard deviations from its mean that a signal should reach."""


@dataclass
class _Signal:
    """Findings about one channel; it is `loud` if it was not faint in some recording."""

    clipped: int = 0
    flattened: list[str] = field(default_factory=list)
    loud: bool = False


class Suspicions:
    """Collects findings while the recordings of one manifest are loaded; `lines` returns them, one line each."""

    def __init__(self, channels: Sequence[Channel]) -> None:
        self._channels = channels
        self._signals = [_Signal() for _ in channels]
        self._faint: dict[str, set[int]] = {}
        self._parts: list[str] = []

    def note_counts(self, name: str, counts: NDArray[np.float64]) -> None:
        """Examine the values of recording `name`, [rows, channels] in counts of the sensor before rounding."""
        faint = set()
        for at, (channel, signal) in enumerate(zip(self._channels, self._signals, strict=True)):
            column = counts[:, at]
            signal.clipped += int(np.count_nonzero(np.abs(column) > MARGIN * FULL_SCALE))
            within = np.clip(column, -FULL_SCALE, FULL_SCALE)
            if float(np.std(within - np.rint(within))) > LOST * float(np.std(within)):
                signal.flattened.append(name)
            expected = _range(channel)
            if expected is not None and float(np.abs(within).max(initial=0.0)) <= FAINT * expected:
                faint.add(at)
            else:
                signal.loud = True
        if faint:
            self._faint[name] = faint

    def note_parts(self, path: Path, parts: Sequence[Block], kept: Sequence[Block]) -> None:
        """Examine all `parts` of the recordings of a file, and those that are `kept` because they fill a window."""
        split = len({block.number for block in parts if block.part is not None})
        if split:
            dropped = [block for block in parts if block not in kept]
            left_out = f", {len(dropped)} of them too short for a window and left out" if dropped else ""
            pieces = sum(block.part is not None for block in parts)
            first = next(block.line for block in parts if block.part == 2)
            self._parts.append(
                f"{path.name}: times have holes (the first before line {first}); {_recordings(split)} split into "
                f"{pieces} parts{left_out}"
            )

    def lines(self) -> Iterator[str]:
        """Yield the findings, one line each."""
        for channel, signal in zip(self._channels, self._signals, strict=True):
            if signal.clipped:
                yield (
                    f"{signal.clipped:,} values of {channel.name} are beyond what the sensor can measure "
                    f"({FULL_SCALE / channel.lsb_per_unit:g} {channel.unit}) and are clipped; is their unit right?"
                )
            if signal.flattened:
                yield (
                    f"{channel.name}: rounding to counts removes more than half of the variation in "
                    f"{_named(signal.flattened)}; are its unit and lsb_per_unit right?"
                )
        faint = [channel for channel, signal in zip(self._channels, self._signals, strict=True) if not signal.loud]
        if faint:
            verb, their = ("exceeds", "its") if len(faint) == 1 else ("exceed", "their")
            yield f"{_names(faint)} never {verb} {FAINT:.0%} of {their} range in any recording; is the unit right?"
        elif weightless := self._weightless():
            yield (
                f"{_names(self._accelerations())} never exceed {FAINT:.0%} of their range in {_named(weightless)}, "
                "but gravity is always present; is the unit right?"
            )
        yield from self._parts

    def _weightless(self) -> list[str]:
        """The recordings in which all accelerations are faint.

        Most sensors measure almost nothing at rest, but one of three accelerometers always measures gravity.
        """
        candidates = [name for name, faint in self._faint.items() if len(faint) >= 3]
        accelerations = {self._channels.index(channel) for channel in self._accelerations()} if candidates else set()
        return [name for name in candidates if len(accelerations) >= 3 and accelerations <= self._faint[name]]

    def _accelerations(self) -> list[Channel]:
        return [channel for channel in self._channels if comparable(channel.unit, "g")]


def _names(channels: Sequence[Channel]) -> str:
    return ", ".join(channel.name for channel in channels)


def _range(channel: Channel) -> float | None:
    """The largest count to expect by the manifest; None if the manifest does not say."""
    if channel.minimum is not None and channel.maximum is not None:
        most = max(abs(channel.minimum), abs(channel.maximum))
    elif channel.mean is not None and channel.std is not None:
        most = abs(channel.mean) + DEVIATIONS * channel.std
    elif comparable(channel.unit, "g"):
        most = MOST_G * conversion("g", channel.unit)[0]
    else:
        return None
    return most * channel.lsb_per_unit


def _named(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{_recordings(len(names))} (the first is {names[0]})"


def _recordings(count: int) -> str:
    return "1 recording" if count == 1 else f"{count:,} recordings"
