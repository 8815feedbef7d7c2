"""Attribution: which step on the way from the trained network to the device changed answers, and cost accuracy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.models.chain import Stage


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


def attribute(stages: Sequence[Stage], labels: Sequence[str], truth: Sequence[str | None]) -> list[Step]:
    """Compare each stage with the one before it.

    The label of a window is that of its first largest output; `truth` holds the right one where it is known.

    Raises:
        ValueError: the stages' outputs do not have the same shape, or there is not a truth for each window.
    """
    if any(stage.outputs.shape != (len(truth), len(labels)) for stage in stages):
        shapes = ", ".join(f"{stage.name} {stage.outputs.shape}" for stage in stages)
        raise ValueError(f"{len(truth)} windows, {len(labels)} labels, but {shapes}")
    known = np.array([label is not None for label in truth], bool)
    wanted = np.array([labels.index(label) if label is not None else -1 for label in truth], int)
    steps: list[Step] = []
    before = stages[0].outputs if stages else np.empty(0)
    for stage in stages:
        picked, picked_before = stage.outputs.argmax(axis=1), before.argmax(axis=1)
        right, right_before = picked == wanted, picked_before == wanted
        steps.append(
            Step(
                stage.name,
                windows=len(truth),
                labelled=int(known.sum()),
                correct=int(right.sum()),
                label_changes=int((picked != picked_before).sum()),
                lost=int((right_before & ~right).sum()),
                gained=int((right & ~right_before).sum()),
                max_abs_diff=float(np.abs(stage.outputs - before).max(initial=0.0)),
            )
        )
        before = stage.outputs
    return steps
