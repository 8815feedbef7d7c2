"""The device under test: one firmware image, running on a board, connected and identified."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from tflm_hil.boards.board import Board
from tflm_hil.device.client import Client
from tflm_hil.device.device_info import DeviceInfo
from tflm_hil.device.messages import Status, WindowResult
from tflm_hil.errors import DeviceError, LineError, RefusedError
from tflm_hil.lab.build import Firmware
from tflm_hil.lab.measurement import Answers, Measurement, TensorMeasurement, Traffic
from tflm_hil.models.stimuli import Stimulus
from tflm_hil.recordings import Recording
from tflm_hil.recordings.windows import window_count

# TFLite TensorType codes of the outputs that a window's answer may consist of.
OUTPUT_TYPES: dict[int, type[np.generic]] = {0: np.float32, 3: np.uint8, 7: np.int16, 9: np.int8}

Progress = Callable[[str, int, int], None]


def silent(_what: str, _done: int, _total: int) -> None:
    """A `Progress` that shows nothing."""


class DeviceUnderTest:
    """A connected device whose identity has been checked."""

    def __init__(
        self, firmware: Firmware, board: Board, client: Client, info: DeviceInfo, progress: Progress = silent
    ) -> None:
        self.firmware = firmware
        self.board = board
        self.client = client
        self.info = info
        self._progress = progress

    def stream(self, recordings: Sequence[Recording]) -> Measurement:
        """Stream `recordings`, each from its row 0, and collect the answer to every window.

        Raises:
            DeviceError: the device crashed, rebooted, fell silent, or did not answer each window exactly once.
        """
        model = self.firmware.model
        total = sum(window_count(len(recording.samples), model.window, model.stride) for recording in recordings)
        traffic = self._watch()
        with self._watched():
            results = self.client.stream_all(
                [recording.samples for recording in recordings],
                lambda done: self._progress(f"windows, {self.firmware.name}", done, total),
            )
        seen = traffic()
        answers = [self._answers(recording, windows) for recording, windows in zip(recordings, results, strict=True)]
        return Measurement(self.firmware, answers, self.board.unit(self.info), seen)

    def infer(self, stimuli: Sequence[Stimulus]) -> TensorMeasurement:
        """Write the inputs of each of `stimuli`, run the network, and read its outputs.

        Raises:
            HilError: the inputs do not fit the network.
            DeviceError: the device crashed, rebooted, fell silent, or sent something else than its outputs.
        """
        traffic = self._watch()
        with self._watched():
            results = self.client.infer_all(
                [[values.tobytes() for values in stimulus.inputs] for stimulus in stimuli],
                lambda done: self._progress(f"inferences, {self.firmware.name}", done, len(stimuli)),
            )
        seen = traffic()
        outputs = [
            [
                np.frombuffer(content, tensor.dtype).reshape(tensor.shape)
                for content, tensor in zip(result.outputs, self.info.outputs, strict=True)
            ]
            for result in results
        ]
        return TensorMeasurement(
            self.firmware,
            list(stimuli),
            outputs,
            [self.board.counts(self.info, result.invoke_ticks) for result in results],
            self.board.unit(self.info),
            seen,
        )

    def status(self) -> Status:
        """The device's own counters, among them the stack's high-water mark."""
        with self._watched():
            return self.client.status()

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Add to the error of a device that is silent what is wrong with its board; a broken line has told it."""
        try:
            yield
        except (LineError, RefusedError):
            raise
        except DeviceError as error:
            if trouble := self.board.trouble():
                raise DeviceError(f"{error} ({trouble})", error.log_tail) from None
            raise

    def _watch(self) -> Callable[[], Traffic]:
        """Begin to watch the wire; what it returns tells how the wire has done since."""
        link, interrupts = self.client.link, self.status().interrupts
        started, before = time.monotonic(), replace(link)

        def seen() -> Traffic:
            seconds, now = time.monotonic() - started, replace(link)
            return Traffic(
                now.bytes_sent - before.bytes_sent,
                seconds,
                now.retried - before.retried,
                now.faults - before.faults,
                self.status().interrupts - interrupts,
            )

        return seen

    def _answers(self, recording: Recording, results: list[WindowResult]) -> Answers:
        output = self.info.outputs[0]
        if output.type not in OUTPUT_TYPES:
            raise DeviceError(f"{self.firmware.name}: the device's output has type {output.type}, which no check knows")
        return Answers(
            recording,
            np.frombuffer(b"".join(result.outputs for result in results), OUTPUT_TYPES[output.type]).reshape(
                len(results), -1
            ),
            [self.board.counts(self.info, result.prepare_ticks) for result in results],
            [self.board.counts(self.info, result.invoke_ticks) for result in results],
        )
