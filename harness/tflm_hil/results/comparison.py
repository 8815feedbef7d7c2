"""A run held against an earlier one: what `results.json` holds of the differences, of their limits and their causes."""

from __future__ import annotations

from typing import Literal

import msgspec

Verdict = Literal["regressed", "improved", "changed"]


class Base(msgspec.Struct):
    """What a run is held against. `what` names it for people, such as the file of a baseline.

    `commit` is the full hash of the sources that it was measured with, "" if it is not known; `toolchain` has the
    versions of compiler, emulator and engine.
    """

    what: str
    commit: str = ""
    toolchain: dict[str, str] = {}


class Cause(msgspec.Struct):
    """Something that a change is made of: a `section`, `object` (or library), `symbol` or `operator`, and its figures.

    `before` is None for what is new, `now` for what is gone. `was` is the earlier name of a symbol that was renamed or
    has moved. Sizes are in bytes, operators in the unit of the run's latencies.
    """

    kind: Literal["section", "object", "symbol", "operator"]
    name: str
    before: int | None
    now: int | None
    was: str = ""

    @property
    def difference(self) -> int:
        """By how much it has grown."""
        return (self.now or 0) - (self.before or 0)


class Change(msgspec.Struct):
    """A figure that is not what it was. `metric` is its path in a run, such as `latency.median`.

    `unit` is bytes, instructions, cycles, or "" for a fraction. `limit` is the condition that made it `regressed`, or
    that it would have to meet; `source` says who set it: an option, a file and its line, or `default`. It is `improved`
    if it got better by more than the limit forgives, and `changed` if it stayed within. `causes` come largest first.
    """

    metric: str
    unit: str
    before: float
    now: float
    verdict: Verdict
    limit: str
    source: str
    causes: list[Cause] = []


class Flip(msgspec.Struct):
    """A window that the device answers otherwise than before; `before` and `now` are the scores of all classes.

    A score that is no finite number is None. `first_row` is where it begins in the recording, `truth` its label, "" if
    there is none.
    """

    recording: str
    window: int
    first_row: int
    label_before: str
    label_now: str
    before: list[float | None]
    now: list[float | None]
    truth: str = ""


class Comparison(msgspec.Struct):
    """A run against its `base`. `notes` say what was not compared and why, and which tools differ."""

    base: Base
    changes: list[Change] = []
    flips: list[Flip] = []
    notes: list[str] = []

    @property
    def regressions(self) -> list[Change]:
        """The changes for the worse."""
        return [change for change in self.changes if change.verdict == "regressed"]

    @property
    def improvements(self) -> list[Change]:
        """The changes for the better."""
        return [change for change in self.changes if change.verdict == "improved"]
