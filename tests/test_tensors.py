"""The device computes what the Python model computes, for models whose inputs are written as tensors."""

from __future__ import annotations

from harness.dut import TensorMeasurement
from harness.fixtures import Recorder
from harness.models.reference import TflmHost
from harness.models.stimuli import Stimulus


def test_outputs_equal_the_reference(
    measurement: TensorMeasurement, stimuli: list[Stimulus], reference: TflmHost, record: Recorder
) -> None:
    parity = measurement.parity(reference)
    record.parity(parity)
    assert parity.windows == len(stimuli)
    name, mismatches = measurement.firmware.name, [f"  {mismatch}" for mismatch in parity.mismatches]
    what = f"{name}: {parity.label_mismatches} of {parity.windows} inferences differ from the reference"
    assert not mismatches, "\n".join([what, *mismatches])
