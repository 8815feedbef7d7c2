"""Run a .tflite on windows, and ask the engines whether they take it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tflm_hil.engines import selection as engines
from tflm_hil.errors import HilError
from tflm_hil.firmware.project import FirmwareProject
from tflm_hil.models.litert import LiteRt
from tflm_hil.models.manifest import Model
from tflm_hil.models.reference import Reference
from tflm_hil.training.figures import Scores
from tflm_hil.training.keras import quiet
from tflm_hil.training.windows import Windows


@dataclass(frozen=True, eq=False)
class Answers:
    """What a network answers: `scores` as real numbers in multiples of `step`, 0 for floats; `runtime` ran it."""

    scores: Scores
    step: float
    runtime: str


def answers(path: Path, model: Model, windows: Windows) -> Answers:
    """Return what the .tflite at `path` answers to `windows`: on TFLM, or what TFLM refuses on LiteRT.

    Raises HilError if neither runs it.
    """
    try:
        reference = Reference(path)
    except HilError:
        with quiet():
            lite = LiteRt(path)
        stored = lite.run(windows.inputs(model, lite.input_quantization))
        output, runtime = lite.output_quantization, lite.name
    else:
        stored = reference.run(windows.inputs(model, reference.input_quantization))
        output, runtime = reference.outputs[0].quantization, reference.name
    real = output.real(stored).reshape(len(windows), -1)
    return Answers(np.asarray(real, np.float64), output.scale, runtime)


def takers(path: Path, project: FirmwareProject) -> dict[str, str | None]:
    """Return for each engine that is installed why it does not take the .tflite at `path`; None if it does."""
    found: dict[str, str | None] = {}
    for name in engines.names():
        try:
            engine = engines.load(name)
            engines.check(engine, path, project)
            reason = engine.unavailable(project, True)
            found[name] = f"not here: {reason}" if reason else None
        except HilError as error:
            found[name] = str(error).removeprefix(f"{path}: ")
    return found
