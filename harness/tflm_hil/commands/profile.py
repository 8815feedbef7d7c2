"""What each operator takes: one inference of an image that can measure the steps of the network."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tflm_hil.boards.board import Board
from tflm_hil.commands.sample import Sample
from tflm_hil.errors import DeviceError, HilError, RefusedError
from tflm_hil.firmware.image_kind import ImageKind
from tflm_hil.lab.build import Firmware
from tflm_hil.lab.dut import DeviceUnderTest, Progress, silent
from tflm_hil.lab.measurement import Measurement, TensorMeasurement
from tflm_hil.lab.options import Flash
from tflm_hil.lab.session import Session
from tflm_hil.models.stimuli import Stimulus
from tflm_hil.progress import Say
from tflm_hil.progress import silent as unsaid
from tflm_hil.recordings import Recording
from tflm_hil.results.groups import OperatorFigures, ProfileFigures


class NoProfileError(HilError):
    """Nothing can measure steps there, which is nobody's fault."""


def profile(
    session: Session,
    board: Board,
    firmware: Firmware,
    sample: Sample,
    log: Path,
    progress: Progress = silent,
    say: Say = unsaid,
) -> ProfileFigures:
    """Build the profile image beside `firmware`, bring it onto `board` and run it on `sample`, without and with marks.

    The count of the whole is that without: it runs the code of the tested image. `say` is told of building and
    flashing.

    Raises:
        NoProfileError: the engine has no such image, or the application of the user does not measure steps; the device
            has no counter; or the board is not to be flashed.
        HilError: the image cannot be built or brought onto the board, or the counter is not to be believed.
        DeviceError: the device does not do what it should.
    """
    if session.options.flash is Flash.NEVER and session.application is None:
        raise NoProfileError(f"{board.name} would have to be flashed with an image that measures steps")
    steps = session.steps(firmware)
    if steps is None:
        raise NoProfileError(f"engine {firmware.engine} has no image that measures steps")
    image = session.firmware(firmware, ImageKind.PROFILE, say)
    with session.connected(board, image, log, progress, say) as device:
        plain = _infer(device, sample.data)
        if plain.refused_counter:
            raise HilError(plain.refused_counter)
        if not plain.unit:
            raise NoProfileError("the device has no counter")
        try:
            device.profile()
        except RefusedError:
            raise NoProfileError(
                "the firmware on the device cannot measure steps; docs/your-own-firmware.md says how to add that"
            ) from None
        marked = _infer(device, sample.data)
        counts = device.steps()
    if len(counts) != len(steps):
        raise DeviceError(f"{image.name}: the device measured {len(counts)} steps, but the network has {len(steps)}")
    if not _equal(plain, marked):
        raise DeviceError(f"{image.name}: on {sample.name} it answers otherwise while it measures steps")
    operators = [
        OperatorFigures(step.index, step.kind, step.output, count, step.macs)
        for step, count in zip(steps, counts, strict=True)
    ]
    return ProfileFigures(plain.unit, sample.name, plain.invoke[0], operators)


def _infer(device: DeviceUnderTest, data: Recording | Stimulus) -> Measurement | TensorMeasurement:
    return device.infer([data]) if isinstance(data, Stimulus) else device.stream([data])


def _equal(first: Measurement | TensorMeasurement, second: Measurement | TensorMeasurement) -> bool:
    def outputs(measurement: Measurement | TensorMeasurement) -> list[np.ndarray]:
        if isinstance(measurement, TensorMeasurement):
            return measurement.outputs[0]
        return [measurement.answers[0].outputs]

    return all(a.tobytes() == b.tobytes() for a, b in zip(outputs(first), outputs(second), strict=True))
