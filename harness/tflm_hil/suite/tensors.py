"""The device computes what the Python model computes, for models whose inputs are written as tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tflm_hil.checks.parity import Parity, TensorMismatch
    from tflm_hil.lab.build import Firmware
    from tflm_hil.lab.measurement import TensorMeasurement
    from tflm_hil.models.reference import Reference
    from tflm_hil.models.stimuli import Stimulus
    from tflm_hil.pytest_plugin.recorder import Recorder
    from tflm_hil.pytest_plugin.tracer import Tracer

SHOWN = 3


def test_outputs_equal_the_reference(
    measurement: TensorMeasurement, stimuli: list[Stimulus], reference: Reference, record: Recorder, tracer: Tracer
) -> None:
    parity = measurement.parity(reference)
    record.parity(parity)
    assert 0 < parity.windows <= len(stimuli)
    assert not parity.mismatches, explain(measurement.firmware, parity, tracer)


def explain(firmware: Firmware, parity: Parity[TensorMismatch], tracer: Tracer) -> str:
    lines = [f"{firmware.name}: {parity.label_mismatches} of {parity.windows} inferences differ from the reference"]
    lines += [f"  {mismatch}" for mismatch in parity.mismatches[:SHOWN]]
    if len(parity.mismatches) > SHOWN:
        lines.append(f"  and {len(parity.mismatches) - SHOWN} more")
    return "\n".join([*lines, *(f"  {line}" for line in tracer.explain(parity.mismatches[0].case))])
