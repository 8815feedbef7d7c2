"""Which windows the device answers otherwise than before, from the outputs that results keep."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflm_hil.errors import HilError
from tflm_hil.models.output import Meaning, meaning
from tflm_hil.models.preprocess import Quantization
from tflm_hil.results.comparison import Flip
from tflm_hil.results.groups import MeaningFigures
from tflm_hil.results.model import Run
from tflm_hil.results.parts import finite


def flips(before: Run, now: Run) -> list[Flip]:
    """Return the windows with another answer than before, of all recordings that have the same rows in both runs.

    There are none if the answers of `now` are stale. Answers are read by the manifest of their own run; numbers differ
    if they do by more than is now tolerated.

    Raises:
        HilError: what a run says of its outputs contradicts itself.
    """
    if before.meaning is None or now.meaning is None or "meaning" in now.stale:
        return []
    try:
        kinds = [meaning(each.output, each.labels) for each in (before.meaning, now.meaning)]
        return [
            flip
            for recording in comparable_recordings(before, now)
            for flip in _flips(recording, (before, now), (before.meaning, now.meaning), kinds)
        ]
    except (ValueError, IndexError) as error:
        raise HilError(
            f"{now.name}: the outputs in its results do not fit its labels ({error}); measure it again"
        ) from error


def comparable_recordings(before: Run, now: Run) -> list[str]:
    """Return the recordings whose rows and windows are the same in both runs, and whose outputs both have."""
    if before.meaning is None or now.meaning is None or before.meaning.stride != now.meaning.stride:
        return []
    inputs = before.meaning.inputs, now.meaning.inputs
    return [
        recording
        for recording in now.outputs
        if recording in before.outputs
        and inputs[0].get(recording) == inputs[1].get(recording)
        and _windows(before.outputs[recording], before.meaning) == _windows(now.outputs[recording], now.meaning)
    ]


def _flips(
    recording: str, runs: tuple[Run, Run], read: tuple[MeaningFigures, MeaningFigures], kinds: list[Meaning]
) -> list[Flip]:
    scores = [_scores(run.outputs[recording], how) for run, how in zip(runs, read, strict=True)]
    answers = [kind.answers(real) for kind, real in zip(kinds, scores, strict=True)]
    same_kind = kinds[0] == kinds[1] and scores[0].shape == scores[1].shape
    differ = kinds[1].differ(*scores) if same_kind else answers[0] != answers[1]
    truths = [truth for truth, windows in read[1].truths.get(recording, []) for _ in range(windows)]
    return [
        Flip(
            recording,
            int(window),
            first_row=int(window) * read[1].stride,
            label_before=str(answers[0][window]),
            label_now=str(answers[1][window]),
            before=[finite(score) for score in scores[0][window].tolist()],
            now=[finite(score) for score in scores[1][window].tolist()],
            truth=truths[window] if window < len(truths) else "",
        )
        for window in np.flatnonzero(differ)
    ]


def _scores(stored: str, how: MeaningFigures) -> NDArray[np.float64]:
    """The real numbers [windows, outputs] that hexadecimal digits stand for."""
    values: NDArray[Any] = np.frombuffer(bytes.fromhex(stored), how.type).reshape(-1, how.outputs)
    return Quantization(np.dtype(how.type), how.scale, how.zero_point).real(values)


def _windows(stored: str, how: MeaningFigures) -> int:
    return len(stored) // 2 // (np.dtype(how.type).itemsize * how.outputs)
