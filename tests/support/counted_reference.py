"""Counting what the reference computes."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from tflm_hil.models import reference


class _Counting:
    """Passes everything on to an interpreter; counts the inputs of each inference."""

    def __init__(self, interpreter: Any, counted: Counter[bytes]) -> None:
        self._interpreter = interpreter
        self._counted = counted
        self._inputs: dict[int, bytes] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._interpreter, name)

    def set_input(self, values: np.ndarray, index: int) -> None:
        self._inputs[index] = values.tobytes()
        self._interpreter.set_input(values, index)

    def invoke(self) -> None:
        self._counted[b"".join(self._inputs.values())] += 1
        self._interpreter.invoke()


def count_inferences(monkeypatch: pytest.MonkeyPatch) -> Counter[bytes]:
    """How often each set of inputs was inferred on by any reference of this process from now on."""
    counted: Counter[bytes] = Counter()
    make = reference._interpreter
    monkeypatch.setattr(reference, "_interpreter", lambda content, **how: _Counting(make(content, **how), counted))
    return counted
