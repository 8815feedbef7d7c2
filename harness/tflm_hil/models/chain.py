"""The steps from the trained network to the device, each of which may change answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflm_hil.errors import HilError
from tflm_hil.models import litert
from tflm_hil.models.fit import check_fit
from tflm_hil.models.manifest import Model, Variant
from tflm_hil.models.preprocess import Quantization, prepare
from tflm_hil.models.reference import Reference
from tflm_hil.models.tflite_file import TensorType, read


@dataclass(frozen=True)
class Stage:
    """The outputs [windows, outputs] of one step, as real numbers."""

    name: str
    outputs: NDArray[np.float64]


@dataclass(frozen=True)
class _Runner:
    name: str
    input: Quantization
    output: Quantization
    run: Callable[[NDArray[Any]], NDArray[Any]]


class Chain:
    """All ways to run `variant` of `model` on the host; each step is closer to the device.

    The first step is the `trained` network on LiteRT: it stands for the Keras model, because the converter keeps the
    arithmetic up to the rounding of float32. Then follow `variant` on LiteRT with default kernels, `variant` on LiteRT
    with reference kernels, and `reference`, which is TFLM. `notes` says, one line each, why a step is left out. Raises
    HilError if a .tflite cannot be read.
    """

    def __init__(self, model: Model, variant: Variant, reference: Reference) -> None:
        self._model = model
        self._output = output_quantization(variant)
        self._name = variant.name
        self.notes: list[str] = []
        self._runners: list[_Runner] = []
        missing = litert.missing()
        if missing:
            self.notes.append(missing)
        else:
            if model.trained is None:
                self.notes.append("model.toml names no `trained` network, so the effect of quantization is unknown")
            elif model.trained != variant.path:
                _check_trained(model, model.trained)
                self._litert("as trained", model.trained)
            self._litert(variant.name, variant.path)
            self._litert(variant.name, variant.path, reference_kernels=True)
        name = f"{variant.name} on {reference.name}"
        self._runners.append(_Runner(name, reference.input_quantization, self._output, reference.run))

    def stages(self, raw: NDArray[np.int16], device: NDArray[np.generic]) -> list[Stage]:
        """Return the outputs of all steps for the windows `raw` [n, window, channels]; the last step is the device.

        `device` holds the stored outputs [n, outputs] that it answered.
        """
        stages = []
        for runner in self._runners:
            outputs = runner.run(prepare(raw, self._model.channels, runner.input, self._model.layout))
            stages.append(Stage(runner.name, runner.output.real(outputs.reshape(len(raw), -1))))
        return [*stages, Stage(f"{self._name} on the device", self._output.real(device))]

    def _litert(self, what: str, path: Path, reference_kernels: bool = False) -> None:
        try:
            runner = litert.LiteRt(path, reference_kernels)
        except HilError as error:
            self.notes.append(str(error))
            return
        name = f"{what} on {runner.name}"
        self._runners.append(_Runner(name, runner.input_quantization, runner.output_quantization, runner.run))


def _check_trained(model: Model, trained: Path) -> None:
    try:
        check_fit(model, read(trained))
    except HilError as error:
        raise HilError(f"{error} (in {trained.name}, which `trained` names)") from error


def output_quantization(variant: Variant) -> Quantization:
    """Return the quantization of the only output of `variant`.

    Raises HilError if the file cannot be read, or if the output has integers without exactly one scale.
    """
    graph = read(variant.path)
    output = graph.tensors[graph.outputs[0]]
    if output.type.dtype is None or (output.type is not TensorType.FLOAT32 and len(output.scales) != 1):
        raise HilError(f"{variant.path}: the output is {output.type.name} without one scale; convert the model again")
    if output.type is TensorType.FLOAT32:
        return Quantization(output.type.dtype)
    return Quantization(output.type.dtype, float(output.scales[0]), int(output.zero_points[0]))
