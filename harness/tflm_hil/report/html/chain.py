"""The accuracy on the way from the trained network to the device, step by step."""

from __future__ import annotations

from dataclasses import dataclass

from tflm_hil.report.html.scale import Scale
from tflm_hil.results.groups import AttributionFigures, AttributionStep

WIDTH, HEIGHT, EDGE, HEAD, FOOT = 600, 110, 40, 24, 24


@dataclass(frozen=True)
class Place:
    """A step, which is the one with this `number` in the table, and where its accuracy is drawn."""

    number: int
    step: AttributionStep
    x: float
    y: float


def chain(attribution: AttributionFigures) -> list[Place]:
    """The steps whose accuracy is known; none if that are less than two."""
    known = [(number, step) for number, step in enumerate(attribution.steps, 1) if step.accuracy is not None]
    if len(known) < 2:
        return []
    accuracies = [step.accuracy or 0.0 for _, step in known]
    across = Scale(0, len(known) - 1, EDGE, WIDTH - EDGE)
    up = Scale(min(accuracies), max(accuracies), HEIGHT - FOOT, HEAD)
    return [Place(number, step, across(at), up(step.accuracy or 0.0)) for at, (number, step) in enumerate(known)]
