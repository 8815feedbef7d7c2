"""The device predicts what the Python model predicts, for every window of every recording."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tflm_hil.checks.parity import Mismatch
    from tflm_hil.lab.build import Firmware
    from tflm_hil.lab.measurement import Measurement
    from tflm_hil.models.chain import Chain
    from tflm_hil.models.reference import Reference
    from tflm_hil.pytest_plugin.recorder import Recorder
    from tflm_hil.pytest_plugin.tracer import Tracer

SHOWN = 3


def test_predictions_equal_the_reference(
    measurement: Measurement, reference: Reference, chain: Chain, record: Recorder, tracer: Tracer
) -> None:
    parity = measurement.parity(reference)
    record.parity(parity)
    record.answers(measurement, reference, parity.mismatches)
    record.attribution(measurement.attribution(chain), chain.notes)
    assert parity.windows > 0
    assert not parity.mismatches, explain(measurement.firmware, parity.mismatches, parity.windows, tracer)


def explain(firmware: Firmware, mismatches: tuple[Mismatch, ...], windows: int, tracer: Tracer) -> str:
    lines = [f"{firmware.name}: {len(mismatches)} of {windows} windows differ from the reference"]
    for mismatch in mismatches[:SHOWN]:
        again = firmware.command("run", f"{mismatch.recording} --window {mismatch.window}")
        lines += [f"  {mismatch}", f"    again: {again}"]
    if len(mismatches) > SHOWN:
        lines.append(f"  and {len(mismatches) - SHOWN} more")
    first = mismatches[0]
    return "\n".join([*lines, *(f"  {line}" for line in tracer.explain(first.recording, first.window))])
