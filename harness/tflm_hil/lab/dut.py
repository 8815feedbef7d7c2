"""The device under test: one firmware image, running on a board, connected and identified."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from tflm_hil.boards.board import Board
from tflm_hil.device.client import Client
from tflm_hil.device.device_info import DeviceInfo
from tflm_hil.device.inferences import Inference
from tflm_hil.device.messages import Status, WindowResult
from tflm_hil.device.sensing import Sensed
from tflm_hil.errors import BoardError, DeviceError, HilError, LineError, RefusedError
from tflm_hil.lab.build import Firmware
from tflm_hil.lab.losses import Loss, Streak
from tflm_hil.lab.measurement import Answers, Measurement, TensorMeasurement, Traffic
from tflm_hil.models.stimuli import Stimulus
from tflm_hil.recordings import Recording
from tflm_hil.recordings.windows import window_count

# TFLite TensorType codes of the outputs that a window's answer may consist of.
OUTPUT_TYPES: dict[int, type[np.generic]] = {0: np.float32, 3: np.uint8, 7: np.int16, 9: np.int8}

Progress = Callable[[str, int, int], None]

Connect = Callable[[], tuple[Client, DeviceInfo]]


class _Named(Protocol):
    @property
    def name(self) -> str: ...


F = TypeVar("F", bound=_Named)


def silent(_what: str, _done: int, _total: int) -> None:
    """A `Progress` that shows nothing."""


class DeviceUnderTest:
    """A connected device whose identity has been checked.

    `connect` opens a session, now and again after an error has ended it: it resets the board, and raises HilError if
    there is no use in it. `streak` counts what is lost.
    """

    def __init__(
        self, firmware: Firmware, board: Board, connect: Connect, streak: Streak, progress: Progress = silent
    ) -> None:
        self.firmware = firmware
        self.board = board
        self.refused_counter = ""
        """Why its counter is not believed; "" if it is. Answers are as good as ever."""
        self._connect = connect
        self._streak = streak
        self._progress = progress
        self.reconnect()

    def stream(self, recordings: Sequence[Recording], go_on: bool = False) -> Measurement:
        """Stream `recordings`, each from its row 0, and collect the answer to every window.

        With `go_on`, a device that fails is reset, and the next recording is streamed; `lost` of the measurement tells
        what happened to which.

        Raises:
            DeviceError: the device crashed, rebooted, fell silent, or did not answer each window exactly once.
        """
        model = self.firmware.model
        total = sum(window_count(len(recording.samples), model.window, model.stride) for recording in recordings)
        answers: list[Answers] = []
        wire = _Wire(self.board.link)
        answered = 0  # windows

        def attempt(left: Sequence[Recording]) -> None:
            nonlocal answered
            waiting, complete = iter(left), sum(len(each.invoke) for each in answers)

            def progress(windows: int) -> None:
                nonlocal answered
                answered = complete + windows
                self._progress(f"windows, {self.firmware.name}", answered, total)

            def done(windows: list[WindowResult]) -> None:
                answers.append(self._answers(next(waiting), windows))
                wire.mark()
                self._streak.answered()

            answered = complete
            wire.begin(self.client)
            self.client.stream_all([recording.samples for recording in left], progress, done)
            wire.end(self.client)

        lost = self._go_through(
            recordings,
            attempt,
            lambda: (len(answers), answered - sum(len(each.invoke) for each in answers)),
            go_on,
        )
        return Measurement(
            self.firmware, answers, self.unit, wire.traffic, lost, self.refused_counter, self.info.engine_version
        )

    def infer(self, stimuli: Sequence[Stimulus], go_on: bool = False) -> TensorMeasurement:
        """Write the inputs of each of `stimuli`, run the network, and read its outputs. `go_on` as in `stream`.

        Raises:
            HilError: the inputs do not fit the network.
            DeviceError: the device crashed, rebooted, fell silent, or sent something else than its outputs.
        """
        answered: list[Stimulus] = []
        results: list[Inference] = []
        wire = _Wire(self.board.link)

        def attempt(left: Sequence[Stimulus]) -> None:
            waiting = iter(left)

            def done(inference: Inference) -> None:
                answered.append(next(waiting))
                results.append(inference)
                wire.mark()
                self._streak.answered()
                self._progress(f"inferences, {self.firmware.name}", len(results), len(stimuli))

            wire.begin(self.client)
            self.client.infer_all([[values.tobytes() for values in stimulus.inputs] for stimulus in left], done=done)
            wire.end(self.client)

        lost = self._go_through(stimuli, attempt, lambda: (len(results), None), go_on)
        return TensorMeasurement(
            self.firmware,
            answered,
            [self._outputs(result) for result in results],
            [self.counts(result.invoke_ticks) for result in results],
            self.unit,
            wire.traffic,
            lost,
            self.refused_counter,
            self.info.engine_version,
        )

    def profile(self) -> None:
        """Let it measure the steps of the next inference. Raises RefusedError if its image cannot."""
        with self._watched():
            self.client.profile()

    def steps(self) -> list[int]:
        """What each step of the last inference took that measured them, without what the marks took."""
        with self._watched():
            steps = self.client.steps()
        # A mark is to a step what an empty measurement is to an inference.
        info = replace(self.info, overhead_ticks=steps.mark_ticks)
        return [self.board.counts(info, ticks) for ticks in steps.ticks]

    def sense(self, rows: int, started: Callable[[], None]) -> Sensed:
        """Take `rows` rows from the device's own sensor; see Client."""
        with self._watched():
            return self.client.sense(rows, started)

    def sensing(self, at_once: int) -> Iterator[Sensed]:
        """Take rows from the device's own sensor, without an end; see Client."""
        with self._watched():
            yield from self.client.sensing(at_once)

    def feeding(self, recording: Recording, sizes: Iterable[int]) -> Iterator[list[WindowResult]]:
        """Stream `recording` in parts of so many rows, and yield the windows that each completes."""
        start = 0
        with self._watched():
            feed = self.client.feed()
            for size in sizes:
                yield feed.feed(recording.samples[start : start + size])
                start += size

    def reconnect(self) -> None:
        """Reset the board and open another session, after an error has ended the one before. Raises HilError."""
        self.client, self.info = self._connect()
        self._has_failed = False
        try:
            self.board.check(self.info)
        except DeviceError as error:
            self.refused_counter = str(error)

    @property
    def unit(self) -> str:
        """What `counts` are: instructions or cycles, "" if its counter is not believed."""
        return "" if self.refused_counter else self.board.unit(self.info)

    def counts(self, ticks: int) -> int:
        """Return what `ticks` are in `unit`."""
        return 0 if self.refused_counter else self.board.counts(self.info, ticks)

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
                raise BoardError(f"{error} ({trouble})", error.log_tail) from None
            raise

    def _go_through(
        self,
        feed: Sequence[F],
        attempt: Callable[[Sequence[F]], None],
        progress: Callable[[], tuple[int, int | None]],
        go_on: bool,
    ) -> tuple[Loss, ...]:
        """Call `attempt` with `feed`, and after each failure with what is left of it; return what was lost.

        With `go_on`, a session that has failed is replaced before the next attempt, also if that is a later call.

        `progress` returns how many of the feed have been answered, and which window is the next one to be.
        """
        lost: list[Loss] = []
        left = feed
        while left:
            try:
                if self._has_failed and go_on:
                    self.reconnect()
            except HilError as error:
                lost += [Loss(each.name, error, tried=False) for each in left]
                break
            try:
                with self._watched():
                    attempt(left)
                break
            except DeviceError as error:
                self._has_failed = True
                if not go_on:
                    raise
                answered, window = progress()
                at = answered + len(lost)
                if at == len(feed):  # It failed when all was over; the next session tells.
                    break
                lost.append(Loss(feed[at].name, error, window))
                self._streak.lost(lost[-1])
                left = feed[at + 1 :]
        return tuple(lost)

    def _outputs(self, result: Inference) -> list[NDArray[Any]]:
        return [
            np.frombuffer(content, tensor.dtype).reshape(tensor.shape)
            for content, tensor in zip(result.outputs, self.info.outputs, strict=True)
        ]

    def _answers(self, recording: Recording, results: list[WindowResult]) -> Answers:
        output = self.info.outputs[0]
        if output.type not in OUTPUT_TYPES:
            raise DeviceError(f"{self.firmware.name}: the device's output has type {output.type}, which no check knows")
        return Answers(
            recording,
            np.frombuffer(b"".join(result.outputs for result in results), OUTPUT_TYPES[output.type]).reshape(
                len(results), -1
            ),
            [self.counts(result.prepare_ticks) for result in results],
            [self.counts(result.invoke_ticks) for result in results],
        )


class _Wire:
    """Adds up how the wire does until each mark; what comes behind the last one does not count."""

    def __init__(self, link: str) -> None:
        self.traffic = Traffic(link=link)

    def begin(self, client: Client) -> None:
        """Watch the wire to `client` from now on."""
        self._interrupts = client.status().interrupts
        self._link, self._before, self._since = client.link, replace(client.link), time.monotonic()

    def mark(self) -> None:
        """Count what has passed since the last mark."""
        link, before, now = self._link, self._before, time.monotonic()
        self.traffic += Traffic(
            link.bytes_sent - before.bytes_sent,
            now - self._since,
            link.retried - before.retried,
            link.faults - before.faults,
        )
        self._before, self._since = replace(link), now

    def end(self, client: Client) -> None:
        """Count the interrupts, which a device that has failed does not tell."""
        self.traffic += Traffic(interrupts=client.status().interrupts - self._interrupts)
