"""What is said of a figure that changed: by how much, and why."""

from __future__ import annotations

from collections.abc import Iterator

from tflm_hil.report.markup import prose, visible
from tflm_hil.report.text import figure, number
from tflm_hil.results.comparison import Cause, Change, Flip
from tflm_hil.results.model import Run

# A section says little where its symbols are known: what is named is the finest that there is.
_FINEST = ("operator", "symbol", "object", "section")
_PREDICTIONS = ("parity.", "attribution.")


def difference(change: Change) -> str:
    """By how much it changed, absolutely and relatively."""
    moved = change.now - change.before
    if not change.unit:
        return difference_shortly(change)
    sign = "+" if moved > 0 else ""
    return f"{sign}{figure(moved, change.unit)} {prose(change.unit)} ({difference_shortly(change)})"


def difference_shortly(change: Change) -> str:
    """By how much it changed relatively; a fraction, in percentage points."""
    moved = change.now - change.before
    if not change.unit:
        return f"{100 * moved:+.2f} points"
    if not change.before:
        return "it was 0"
    share = moved / abs(change.before)
    return f"{share:+.1%}" if abs(share) >= 0.001 else f"{share:+.3%}"


def main_causes(change: Change) -> list[Cause]:
    """The causes of the finest kind that is known, the largest first."""
    finest = min((cause.kind for cause in change.causes), key=_FINEST.index, default=None)
    return [cause for cause in change.causes if cause.kind == finest]


def figures(cause: Cause) -> str:
    """What it was and is, in the unit of its change."""
    if cause.before is None:
        return f"new, {number(cause.now)}"
    if cause.now is None:
        return f"gone, was {number(cause.before)}"
    return f"{number(cause.before)} -> {number(cause.now)} ({cause.difference:+,})"


def cause_lines(change: Change, top: int) -> Iterator[str]:
    """The `top` main causes for a terminal or a log, and how many more there are."""
    causes = main_causes(change)
    for cause in causes[:top]:
        was = f" (was {visible(cause.was)})" if cause.was else ""
        yield f"{cause.kind} {visible(cause.name)}{was}: {figures(cause)}"
    if len(causes) > top:
        yield f"and {len(causes) - top:,} more"


def about_predictions(change: Change) -> bool:
    """Whether windows that flipped are its causes."""
    return change.metric.startswith(_PREDICTIONS)


def flips(run: Run) -> Iterator[Flip]:
    """The windows that are answered otherwise than before, those that are wrong now first, those now right last."""
    yield from sorted(run.comparison.flips if run.comparison else [], key=effect_order)


def effect(flip: Flip) -> str:
    """What the flip means, as far as the label tells."""
    if not flip.truth:
        return "no label"
    return {flip.label_before: "now wrong", flip.label_now: "now right"}.get(flip.truth, "wrong as before")


def effect_order(flip: Flip) -> int:
    """The rank of its effect, the worst being 0."""
    return ("now wrong", "no label", "wrong as before", "now right").index(effect(flip))


def scores(values: list[float | None]) -> str:
    """The scores of all classes, shortly."""
    shown = ["no number" if value is None else f"{value:.3g}" for value in values[:8]]
    return ", ".join([*shown, *["..."] * (len(values) > 8)])
