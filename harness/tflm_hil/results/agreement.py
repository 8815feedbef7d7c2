"""Whether emulators agree: the same firmware, the same windows, one run in each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from tflm_hil.results.model import Run

TOLERANCE = 0.01
"""How far two emulators may count apart, of what the first one counted. They are far closer if nothing is wrong: 0.2 %
was measured with QEMU 7.2 and Renode 1.16.1, and 1 % where both count by a timer of the chip."""


@dataclass(frozen=True)
class Agreement:
    """Two runs of this session in two emulators. `first` is in the one that comes first in the results."""

    first: Run
    second: Run

    @property
    def median(self) -> float | None:
        """How far apart the medians of an inference are, as a fraction of the first; None if not counted alike."""
        return self._apart("median")

    @property
    def max(self) -> float | None:
        """The same of the maxima."""
        return self._apart("max")

    @property
    def answers_equal(self) -> bool | None:
        """Whether all outputs are the same bytes; None if they are not of the same windows."""
        ours, theirs = (None if "parity" in run.stale else run.parity for run in (self.first, self.second))
        if ours is None or theirs is None or ours.windows != theirs.windows or not (ours.digest and theirs.digest):
            return None
        return ours.digest == theirs.digest

    def differences(self) -> Iterator[str]:
        """What is too far apart, for people."""
        emulator = self.first.emulator
        if self.answers_equal is False:
            yield f"answers are not those of {emulator}"
        for name, apart in (("median", self.median), ("max", self.max)):
            if apart is not None and abs(apart) > TOLERANCE:
                here, there = (getattr(run.latency, name) for run in (self.second, self.first))
                yield (
                    f"latency.{name}: {here:,}, which is {apart:+.2%} from the {there:,} of {emulator}, and more than "
                    f"{TOLERANCE:.0%}"
                )

    def _apart(self, name: str) -> float | None:
        ours, theirs = (None if "latency" in run.stale else run.latency for run in (self.first, self.second))
        if ours is None or theirs is None or (ours.unit, ours.count) != (theirs.unit, theirs.count):
            return None
        before: int = getattr(ours, name)
        return (getattr(theirs, name) - before) / before if before else None


def agreements(runs: Sequence[Run]) -> list[Agreement]:
    """Return the pairs of current runs that differ in nothing but their emulator."""
    emulated = sorted((run for run in runs if run.current and run.emulator), key=lambda run: run.identity)
    groups = [list(group) for _, group in groupby(emulated, key=lambda run: run.build)]
    return [Agreement(group[0], other) for group in groups for other in group[1:]]
