"""Attribution: which step on the way from the trained network to the device changed answers, and cost accuracy."""

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
    """One way to run the network, compared with the one before it, over `windows` windows.

    Of the `labelled` ones `correct` are right; `lost` were right a step earlier, and `gained` are right only now.
    `label_changes` counts all windows whose label differs from the step before, and `max_abs_diff` is the largest
    difference of any output, in its real unit. The first step has nothing before it: there they are 0.
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

    `meaning` tells the answers from the outputs; `truth` holds what is right for each window where it is known.

    Raises:
        ValueError: the stages' outputs do not have the same shape, or there is not a truth for each window.
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
