"""Turn recordings into SAMPLES requests, and their responses into windows."""

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from tflm_hil.device.device_info import DeviceInfo
from tflm_hil.device.messages import Message, WindowResult, parse_samples
from tflm_hil.device.pipeline import Request
from tflm_hil.errors import DeviceError, HilError
from tflm_hil.recordings.windows import window_count

REPLY_HEADER_BYTES = 5
WINDOW_HEADER_BYTES = 8

Samples = npt.NDArray[np.int16]
"""A recording, int16[rows, channels]: the raw counts of the sensor."""


def chunks(rows: int, info: DeviceInfo, start: int = 0) -> Iterator[slice]:
    """Yield the rows of each SAMPLES request: as many as fit into it, and as its response has room for windows.

    `rows` are those of a recording so far, the first `start` of which have been sent.
    """
    most_rows = info.max_body // (2 * info.channels)
    most_windows = (info.max_body - REPLY_HEADER_BYTES) // (WINDOW_HEADER_BYTES + info.output_bytes)
    while start < rows:
        # With one row more, the request would complete one window more than its response has room for.
        complete = window_count(start, info.window, info.stride)
        last = info.window + (complete + most_windows) * info.stride - 1
        stop = min(rows, start + most_rows, last)
        yield slice(start, stop)
        start = stop


class RecordingStream:
    """The requests of one recording, and the windows that come back.

    Raises HilError if the device has no windows, or if the samples are not int16[rows, channels] with its channels.
    """

    def __init__(self, samples: Samples, info: DeviceInfo) -> None:
        _check_samples(samples, info)
        self.windows: list[WindowResult] = []
        """The windows that have come back so far."""
        self._samples = np.ascontiguousarray(samples, dtype="<i2")
        self._info = info
        self._chunks = list(chunks(len(samples), info))
        self._answered = 0

    @property
    def request_count(self) -> int:
        """The number of requests: BEGIN and the SAMPLES requests."""
        return 1 + len(self._chunks)

    @property
    def done(self) -> bool:
        """Whether all responses have arrived."""
        return self._answered == self.request_count

    def requests(self) -> Iterator[Request]:
        """Yield BEGIN and the SAMPLES requests."""
        yield Message.BEGIN, b""
        for rows in self._chunks:
            yield Message.SAMPLES, self._samples[rows].tobytes()

    def answer(self, body: bytes) -> list[WindowResult]:
        """Take the body of the next response and return the windows that it holds.

        Raises DeviceError unless they are exactly the windows that the rows of its request complete.
        """
        self._answered += 1
        if self._answered == 1:
            return []  # The response to BEGIN is empty.
        rows = self._chunks[self._answered - 2]
        windows = parse_samples(body, self._info.output_bytes)
        check_windows(windows, rows, self._info)
        self.windows += windows
        return windows


class Feed:
    """A recording that comes bit by bit; `ask` makes a request of SAMPLES and returns the body of its response.

    Raises HilError as RecordingStream.
    """

    def __init__(self, info: DeviceInfo, ask: Callable[[bytes], bytes]) -> None:
        self._info = info
        self._ask = ask
        self._fed = 0

    def feed(self, samples: Samples) -> list[WindowResult]:
        """Send more rows, and return the windows that they complete. Raises DeviceError if others come back."""
        _check_samples(samples, self._info)
        windows: list[WindowResult] = []
        first = self._fed
        for rows in chunks(first + len(samples), self._info, first):
            body = self._ask(samples[rows.start - first : rows.stop - first].astype("<i2").tobytes())
            new = parse_samples(body, self._info.output_bytes)
            check_windows(new, rows, self._info)
            windows += new
            self._fed = rows.stop
        return windows


def _check_samples(samples: Samples, info: DeviceInfo) -> None:
    if not info.window:
        raise HilError("the device takes tensors, not recordings; call infer() with its inputs")
    if samples.ndim != 2 or samples.shape[1] != info.channels or samples.dtype != np.int16:
        raise HilError(
            f"the device takes int16 rows of {info.channels} channels, but the recording has"
            f" {samples.dtype} {list(samples.shape)}; choose recordings that fit the model"
        )


def check_windows(windows: list[WindowResult], rows: slice, info: DeviceInfo) -> None:
    """Raise DeviceError unless `windows` are those that the `rows` of a recording complete, in a possible time."""
    due = list(range(*(window_count(row, info.window, info.stride) for row in (rows.start, rows.stop))))
    got = [window.index for window in windows]
    if got != due:
        raise DeviceError(
            f"rows {rows.start} to {rows.stop - 1} complete {_span(due)}, but the device answered"
            f" {_span(got)}: its windowing does not follow the window and stride of the model"
        )
    for window in windows:
        info.check_ticks(window.prepare_ticks, f"the preparation of window {window.index}")
        info.check_ticks(window.invoke_ticks, f"the inference of window {window.index}")


def _span(indexes: list[int]) -> str:
    if not indexes:
        return "no window"
    return f"window {indexes[0]}" if len(indexes) == 1 else f"windows {indexes[0]} to {indexes[-1]}"
