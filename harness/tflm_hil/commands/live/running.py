"""What a live run adds up to, and labels that have to hold before they are shown."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from statistics import median

from rich.table import Table

from tflm_hil.commands.live.window import Answer


class Held:
    """The label that `windows` answers in a row agreed on last, "" before there was one."""

    def __init__(self, windows: int) -> None:
        self.label = ""
        self._windows = windows
        self._candidate = ""
        self._times = 0

    def take(self, label: str) -> str:
        """Take the next label, and return the one that holds."""
        self._times = self._times + 1 if label == self._candidate else 1
        self._candidate = label
        if self._times >= self._windows:
            self.label = label
        return self.label


@dataclass
class Tally:
    """What has been answered so far."""

    windows: int = 0
    known: int = 0
    right: int = 0
    unit: str = ""
    latencies: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    labels: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def take(self, answer: Answer) -> None:
        """Count an answer."""
        self.windows += 1
        self.labels[answer.label] += 1
        self.known += bool(answer.truth)
        self.right += bool(answer.truth) and answer.truth == answer.label
        if answer.latency is not None:
            self.latencies[answer.label].append(answer.latency)
            self.unit = answer.unit

    def table(self) -> Table:
        """Return the windows of each label, most first, and their median latency."""
        table = Table("label", "windows", "share", self.unit and f"median {self.unit}", box=None)
        for label, windows in sorted(self.labels.items(), key=lambda item: -item[1]):
            table.add_row(label, f"{windows:,}", f"{windows / self.windows:.1%}", _median(self.latencies[label]))
        every = [latency for of_label in self.latencies.values() for latency in of_label]
        table.add_row("all", f"{self.windows:,}", "", _median(every))
        return table

    @property
    def accuracy(self) -> str:
        """How many of the windows whose label is known were right, "" if there are none."""
        return (
            f"{self.right:,} of {self.known:,} labelled windows right ({self.right / self.known:.1%})"
            if self.known
            else ""
        )


def _median(values: list[float]) -> str:
    return f"{median(values):,.0f}" if values else ""
