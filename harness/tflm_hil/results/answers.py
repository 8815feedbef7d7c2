"""What a device answered, window by window: as a test hands it over, and as several tests add up.

So that results stay small, only so much is kept: all outputs or none of them, and the first windows that differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from tflm_hil.results.groups import DifferenceFigures, MeaningFigures, WindowFigures
from tflm_hil.results.parts import AnswersPart

MOST_OUTPUT_BYTES = 64 << 10
"""The outputs of a run are kept if all together they take no more."""
MOST_DIFFERENCES = 10
MOST_COUNTS = 32_768
"""In the rows of all windows that are kept beside the first difference: 64 KiB as the sensor sends them."""


def answers_part(
    outputs: Mapping[str, bytes], meaning: MeaningFigures, differences: Iterable[DifferenceFigures]
) -> AnswersPart:
    """What a test hands over: stored `outputs` by recording, how they are read, and the windows that differ."""
    return AnswersPart(
        outputs=_few({name: stored.hex() for name, stored in outputs.items()}),
        meaning=msgspec.to_builtins(meaning),
        differences=msgspec.to_builtins(first_differences(differences)),
    )


def answers_figures(parts: Sequence[AnswersPart]) -> dict[str, Any]:
    """What `parts` add up to, by keys in a `Run`: `outputs`, `meaning` and `differences`."""
    if not parts:
        return {"outputs": {}, "meaning": None, "differences": []}
    meanings = [msgspec.convert(part["meaning"], MeaningFigures) for part in parts]
    inputs = {name: digest for meaning in meanings for name, digest in meaning.inputs.items()}
    outputs = {name: stored for part in parts for name, stored in part["outputs"].items()}
    complete = outputs.keys() == inputs.keys()
    found = msgspec.convert([each for part in parts for each in part["differences"]], list[DifferenceFigures])
    return {
        "outputs": _few(outputs) if complete else {},
        "meaning": replace(
            meanings[0],
            inputs=inputs,
            truths={name: truths for meaning in meanings for name, truths in meaning.truths.items()},
        ),
        "differences": first_differences(found),
    }


def first_differences(differences: Iterable[DifferenceFigures]) -> list[DifferenceFigures]:
    """Return the first of `differences`, each window once: no more than are of use to a person."""
    kept: dict[tuple[str, int], DifferenceFigures] = {}
    counts = 0
    for difference in differences:
        counts += sum(map(_counts, (difference.differs, difference.agrees)))
        if kept and (len(kept) == MOST_DIFFERENCES or counts > MOST_COUNTS):
            break
        kept.setdefault((difference.differs.recording, difference.differs.window), difference)
    return list(kept.values())


def _few(outputs: dict[str, str]) -> dict[str, str]:
    return outputs if sum(map(len, outputs.values())) <= 2 * MOST_OUTPUT_BYTES else {}


def _counts(window: WindowFigures | None) -> int:
    return sum(map(len, window.rows)) if window is not None else 0
