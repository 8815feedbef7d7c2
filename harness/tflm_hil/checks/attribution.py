"""Attribution: which step from the trained network to the device changed answers and cost accuracy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tflm_hil.checks.tensors import furthest
from tflm_hil.models.answers import Truth
from tflm_hil.models.chain import Stage
from tflm_hil.models.output import Meaning


@dataclass(frozen=True)
class Step:
    """One step, compared with the step before it, over `windows` windows.

    Of the `labelled` windows, `correct` are right; `lost` were right in the step before but are wrong now, and `gained`
    were wrong and are right now. `label_changes` counts the windows whose answer differs from the step before, and
    `max_abs_diff` is the largest difference of any output, as a real number. In the first step these are 0.
    """

    name: str
    windows: int
    labelled: int
    correct: int
    label_changes: int
    lost: int
    gained: int
    max_abs_diff: float


def attribute(stages: Sequence[Stage], meaning: Meaning, truth: Sequence[Truth]) -> list[Step]:
    """Compare each stage with the one before it.

    `meaning` turns outputs into answers; `truth` holds the right answer for each window, None if it is unknown.

    Raises:
        ValueError: outputs differ in shape, or `truth` and outputs differ in the number of windows.
    """
    shapes = [stage.outputs.shape for stage in stages]
    if any(shape != shapes[0] or shape[0] != len(truth) for shape in shapes):
        said = ", ".join(f"{stage.name} {stage.outputs.shape}" for stage in stages)
        raise ValueError(f"{len(truth)} windows, but {said}")
    steps: list[Step] = []
    before = stages[0].outputs if stages else np.empty(0)
    for stage in stages:
        right, right_before = meaning.right(stage.outputs, truth), meaning.right(before, truth)
        steps.append(
            Step(
                stage.name,
                windows=len(truth),
                labelled=sum(known is not None for known in truth),
                correct=int(right.sum()),
                label_changes=int(meaning.differ(stage.outputs, before).sum()),
                lost=int((right_before & ~right).sum()),
                gained=int((right & ~right_before).sum()),
                max_abs_diff=furthest(stage.outputs, before)[0],
            )
        )
        before = stage.outputs
    return steps
