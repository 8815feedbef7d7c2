"""What the bench finds, row by row."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Goal:
    """A figure, its limit and their ratio; `most` tells whether the limit is an upper or a lower one."""

    what: str
    measured: str
    limit: str
    ratio: float
    most: bool

    @property
    def met(self) -> bool:
        """Whether the figure is on the right side of its limit."""
        return self.ratio <= 1 if self.most else self.ratio >= 1


@dataclass(frozen=True)
class Figures:
    """What `engine` needs for `network` on `target`: instructions of the slowest inference, and bytes.

    `constants` is the part of `flash` that holds the network. `ram` is static RAM (with the arena, without the buffers
    of the link to the harness), `ram_total` all that a chip must have: static RAM, those buffers and the deepest stack
    seen. `work` is what one inference does, in `unit`s: multiply-accumulates or elements; 0 where that is not known.
    `answers` says how the answers compare with those of host TFLM, `equal` whether as much as they must.
    """

    network: str
    engine: str
    target: str
    instructions: int
    work: int
    unit: str
    flash: int
    constants: int
    ram: int
    ram_total: int
    arena: int
    stack: int
    answers: str
    equal: bool

    @property
    def code(self) -> int:
        """Bytes of flash without the network."""
        return self.flash - self.constants

    @property
    def per_unit(self) -> float | None:
        """Instructions a multiply-accumulate or element."""
        return self.instructions / self.work if self.work else None


@dataclass(frozen=True)
class Compilation:
    """A compiling engine at work on `network`: seconds from .tflite to C, the arena's bytes and those alive at once."""

    network: str
    seconds: float
    arena: int
    lower_bound: int


@dataclass(frozen=True)
class Unmeasured:
    """A network that could not be measured with an engine, and why."""

    network: str
    engine: str
    target: str
    reason: str


Row = Goal | Figures | Compilation | Unmeasured


def failed(row: Row) -> bool:
    """Whether `row` makes the bench fail: a missed goal, a wrong answer, or none at all."""
    match row:
        case Goal():
            return not row.met
        case Figures():
            return not row.equal
    return isinstance(row, Unmeasured)
