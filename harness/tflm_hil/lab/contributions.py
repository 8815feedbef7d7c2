"""What a build is filed under in the results, and what its measurements add there: for tests and for `hil bench`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tflm_hil.boards.selection import BoardSet
from tflm_hil.checks.parity import Mismatch, Parity
from tflm_hil.firmware.symbols import placed_symbols
from tflm_hil.lab.build import Build, Firmware
from tflm_hil.lab.measurement import Measurement, TensorMeasurement
from tflm_hil.lab.windows import differences, meaning_of
from tflm_hil.models.reference import Reference
from tflm_hil.results.answers import answers_part
from tflm_hil.results.parts import Contribution, RunKey, StreamPart, firmware_part, latency_part, parity_part


def run_key(board: BoardSet, build: Build) -> RunKey:
    """What results of `build` on `board` are filed under."""
    return RunKey(
        model=build.model.name,
        variant=build.variant.name,
        engine=build.engine,
        board=board.name,
        emulator=board.emulator,
        target=build.target,
    )


def of_measurement(measurement: Measurement | TensorMeasurement) -> Contribution:
    """Latency, unless the device counts nothing, and throughput."""
    traffic = measurement.traffic
    stream = StreamPart(
        windows=len(measurement.invoke),
        bytes=traffic.sent_bytes,
        seconds=traffic.seconds,
        retried=traffic.retried,
        faults=traffic.faults,
        interrupts=traffic.interrupts,
        link=traffic.link,
    )
    contribution = Contribution(stream=stream, engine_version=measurement.engine_version)
    if measurement.unit:
        contribution["latency"] = latency_part(measurement.unit, measurement.invoke, measurement.prepare)
    return contribution


def of_answers(measurement: Measurement, reference: Reference, mismatches: Sequence[Mismatch]) -> Contribution:
    """The answers to every window, and the windows on which they are not those of `reference`."""
    outputs = {answers.recording.name: answers.outputs.tobytes() for answers in measurement.answers}
    found = differences(measurement, reference, mismatches)
    return Contribution(answers=answers_part(outputs, meaning_of(measurement), found))


def of_parity(parity: Parity[Any], firmware: Firmware, oracle: str) -> Contribution:
    """The comparison with the reference, which is called `oracle`."""
    model = firmware.model
    part = parity_part(parity, oracle, model.meaning if model.windowed else None)
    return Contribution(parity=part, model_sha256=firmware.variant.sha256.hex())


def of_footprint(firmware: Firmware, arena_bytes: int, stack_peak_bytes: int) -> Contribution:
    """Sizes from the image, and the two that only the running device knows."""
    part = firmware_part(firmware.image, placed_symbols(firmware.image), arena_bytes)
    return Contribution(firmware=part, stack_peak_bytes=stack_peak_bytes, model_sha256=firmware.variant.sha256.hex())
