"""One answer of a running network, for people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tflm_hil.models.answers import Truth, truth_text
from tflm_hil.models.chain import output_quantization
from tflm_hil.models.manifest import Model, Variant


@dataclass(frozen=True)
class Answer:
    """Window `index` of `source`: its `label`, the `scores` by name, and how long that took, in `unit`.

    `latency` is None where it was not measured, and `truth` is "" where it is not known.
    """

    source: str
    index: int
    label: str
    scores: dict[str, float]
    latency: float | None
    unit: str
    truth: str = ""


class Reader:
    """Reads the outputs of `variant` as answers. Raises HilError if these cannot be read."""

    def __init__(self, model: Model, variant: Variant) -> None:
        self._meaning = model.meaning
        self._quantization = output_quantization(variant)

    def read(
        self,
        source: str,
        index: int,
        outputs: bytes,
        latency: float | None,
        unit: str,
        truth: Truth = None,
    ) -> Answer:
        """Return the answer that `outputs`, the memory of the output tensor, stands for."""
        stored: NDArray[np.generic] = np.frombuffer(outputs, self._quantization.dtype).reshape(1, -1)
        real = self._quantization.real(stored)
        label = str(self._meaning.answers(real)[0])
        scores = dict(zip(self._names(real.shape[1]), real[0].tolist(), strict=True))
        return Answer(source, index, label, scores, latency, unit, "" if truth is None else truth_text(truth))

    def _names(self, outputs: int) -> Sequence[str]:
        labels = self._meaning.labels
        return labels if len(labels) == outputs else [f"output {number}" for number in range(outputs)]
