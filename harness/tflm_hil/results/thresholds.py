"""Limits of figures: when a change is a regression, and which value is too much.

`METRIC>+3%` allows 3 % more than before, `METRIC>+512` 512 more, and `METRIC>+1%+64` 64 beyond one per cent more.
`METRIC<-0.5%` is for what is better if it is more, such as accuracies; these are fractions, so `<-0.01` is one point.
Without a sign it is a limit of the figure itself: `latency.max>16000`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from tflm_hil.errors import HilError
from tflm_hil.results.metrics import BY_NAME, METRICS, OF_RUN, Metric

DEFAULT = "default"
"""The source of a limit that nobody has set."""

# An accuracy is a count of windows by another, and a float is near enough to one of up to so many to tell which.
_MOST_WINDOWS = 10**7

_NUMBER = r"\d+(?:\.\d+)?"
_LIMIT = re.compile(r"(?P<metric>[^<>]*)(?P<side>[<>])(?P<bound>[^<>]*)")
_VALUE = re.compile(rf"(?P<value>{_NUMBER})")
_CHANGE = re.compile(
    rf"(?P<sign>[+-])(?:(?P<percent>{_NUMBER})%(?:(?P=sign)(?P<beyond>{_NUMBER}))?|(?P<amount>{_NUMBER}))"
)


@dataclass(frozen=True)
class Limit:
    """The limit of a metric, and who set it (`source`: an option, a file and its line, or `default`).

    `value` limits the figure itself. If it is None, a change for the worse may be up to `percent` of what the figure
    was, and up to `amount` beyond that.
    """

    metric: Metric
    source: str = DEFAULT
    percent: Decimal = Decimal(0)
    amount: Decimal = Decimal(0)
    value: Decimal | None = None

    def __str__(self) -> str:
        side, sign = (">", "+") if self.metric.better == "less" else ("<", "-")
        if self.value is not None:
            return f"{self.metric.name}{side}{_text(self.value)}"
        share = f"{sign}{_text(self.percent)}%" if self.percent else ""
        amount = f"{sign}{_text(self.amount)}" if self.amount or not share else ""
        return f"{self.metric.name}{side}{share}{amount}"

    def exceeded(self, now: float) -> bool:
        """Whether `now` is on the wrong side of `value`."""
        assert self.value is not None
        return _loss(self.metric, Fraction(self.value), now) > 0

    def worse(self, before: float, now: float) -> bool:
        """Whether the figure got worse by more than is allowed."""
        return _loss(self.metric, _exact(before), now) > self._allowed(before)

    def better(self, before: float, now: float) -> bool:
        """Whether it got better by more than would be allowed in the other direction."""
        return -_loss(self.metric, _exact(before), now) > self._allowed(before)

    def _allowed(self, before: float) -> Fraction:
        return abs(_exact(before)) * Fraction(self.percent) / 100 + Fraction(self.amount)


_ONE_PER_CENT = Decimal(1)
# How deep the stack gets depends on where an interrupt strikes, too: one exception frame with the state of the FPU, and
# what our handler pushes.
_ONE_INTERRUPT = Decimal(104 + 32)

DEFAULTS = (
    *((Limit(metric), "instructions") for metric in METRICS if metric.unit == OF_RUN),
    *((Limit(metric, percent=_ONE_PER_CENT), "cycles") for metric in METRICS if metric.unit == OF_RUN),
    (Limit(BY_NAME["parity.accuracy_device"]), ""),
    (Limit(BY_NAME["parity.accuracy_reference"]), ""),
    (Limit(BY_NAME["attribution.accuracy_drop"]), ""),
    (Limit(BY_NAME["firmware.flash_bytes"], percent=_ONE_PER_CENT), "bytes"),
    (Limit(BY_NAME["firmware.ram_bytes"], percent=_ONE_PER_CENT), "bytes"),
    (Limit(BY_NAME["firmware.arena_bytes"], percent=_ONE_PER_CENT), "bytes"),
    (Limit(BY_NAME["firmware.stack_peak_bytes"], percent=_ONE_PER_CENT, amount=_ONE_INTERRUPT), "bytes"),
    (Limit(BY_NAME["firmware.ram_total_bytes"], percent=_ONE_PER_CENT, amount=_ONE_INTERRUPT), "bytes"),
    (Limit(BY_NAME["firmware.model_bytes"], percent=_ONE_PER_CENT), "bytes"),
)
"""What a change may be if nobody says otherwise, and the unit that this is for: instructions are counted exactly,
cycles are not, and of bytes nobody acts upon the last per cent. docs/reports.md shows this table."""


class Limits:
    """The limits of a run, of several `sources`: a later one wins, for each metric, and so does a later limit of one.

    Limits of a change and of the figure itself do not replace each other.
    """

    def __init__(self, *sources: Iterable[Limit]) -> None:
        given = [limit for source in sources for limit in source]
        self._changes = {limit.metric.name: limit for limit in given if limit.value is None}
        self._values = {limit.metric.name: limit for limit in given if limit.value is not None}

    def of_change(self, metric: Metric, unit: str) -> Limit:
        """What a change of `metric`, measured in `unit`, may be."""
        defaults = (limit for limit, of_unit in DEFAULTS if limit.metric == metric and unit == of_unit)
        return self._changes.get(metric.name) or next(defaults, Limit(metric))

    @property
    def values(self) -> list[Limit]:
        """The limits of figures themselves, in the order of the metrics."""
        return [self._values[name] for name in BY_NAME if name in self._values]


def parse_limits(text: str, source: str) -> list[Limit]:
    """The limits in `text`, separated by commas.

    Raises:
        HilError: it is no limit. The message names `source` and says what to write.
    """
    return [replace(_limit(part, source), source=source) for part in text.split(",")]


def _limit(text: str, source: str) -> Limit:
    shown = text.strip()
    found = _LIMIT.fullmatch("".join(text.split()))
    if found is None:
        raise HilError(f"{source}: {shown!r} is no limit; write one such as latency.median>+3% or latency.max>16000")
    metric = BY_NAME.get(found["metric"])
    if metric is None:
        raise HilError(f"{source}: {shown!r} names no metric; {_suggestion(found['metric'])}")
    side, sign = (">", "+") if metric.better == "less" else ("<", "-")
    if found["side"] != side:
        raise HilError(
            f"{source}: {shown!r} would fail what got better: of {metric.name}, {metric.better} is better; "
            f"write {metric.name}{side}..."
        )
    if value := _VALUE.fullmatch(found["bound"]):
        return Limit(metric, value=Decimal(value["value"]))
    change: re.Match[str] | None = _CHANGE.fullmatch(found["bound"])
    if change is None or change["sign"] != sign:
        name = f"{metric.name}{side}"
        least = "16000" if metric.unit == OF_RUN else "0.9" if metric.better == "more" else "64"
        raise HilError(
            f"{source}: {shown!r} limits nothing; after {name} write a change such as {sign}3%, {sign}64 or "
            f"{sign}1%{sign}64, or a value such as {least}"
        )
    amount = Decimal(change["beyond"] or change["amount"] or 0)
    return Limit(metric, percent=Decimal(change["percent"] or 0), amount=amount)


def _suggestion(name: str) -> str:
    plain = {each: each for each in BY_NAME} | {each.partition(".")[2]: each for each in reversed(BY_NAME)}
    # People also write latency_median.
    plain |= {each.replace(".", "_"): each for each in BY_NAME}
    near = difflib.get_close_matches(name, plain, n=1)
    return f"did you mean {plain[near[0]]}?" if near else f"choose one of {', '.join(BY_NAME)}"


def _loss(metric: Metric, before: Fraction, now: float) -> Fraction:
    """By how much `now` is worse than `before`."""
    return _exact(now) - before if metric.better == "less" else before - _exact(now)


def _exact(value: float) -> Fraction:
    return Fraction(value).limit_denominator(_MOST_WINDOWS)


def _text(number: Decimal) -> str:
    return format(number.normalize(), "f")
