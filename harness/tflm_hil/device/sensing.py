"""Rows of the device's own sensor: the SENSE requests, and what their responses mean."""

import dataclasses
from collections.abc import Iterator

import numpy as np

from tflm_hil.device.device_info import DeviceInfo
from tflm_hil.device.messages import WindowResult, parse_sense
from tflm_hil.device.stream import REPLY_HEADER_BYTES, WINDOW_HEADER_BYTES, Samples, check_windows
from tflm_hil.errors import HilError
from tflm_hil.recordings.windows import window_count

_MOST_ROWS = 255


@dataclasses.dataclass(frozen=True, eq=False)
class Sensed:
    """What a sensor has sensed, int16[rows, channels] in raw counts, and the windows that these rows complete."""

    samples: Samples
    windows: list[WindowResult]


class Sensing:
    """The requests for `rows` rows, and what comes back.

    Raises HilError if the device has no windows, or if a response has no room for a row.
    """

    def __init__(self, rows: int, info: DeviceInfo) -> None:
        if not info.window:
            raise HilError("the device takes tensors, not rows of a sensor; call infer() with its inputs")
        self._info = info
        self._wanted = rows
        self._rows = bytearray()
        self._windows: list[WindowResult] = []

    def requests(self) -> Iterator[int]:
        """Yield how many rows to ask for next: a single one at first, which tells that the sensor has started."""
        most = 1
        while (had := self._had) < self._wanted:
            rows = min(most, self._wanted - had)
            while self._response_bytes(had, rows) > self._info.max_body:
                rows -= 1
                if rows == 0:
                    raise HilError(f"a response of {self._info.max_body} bytes has no room for a row and its window")
            yield rows
            most = _MOST_ROWS

    def answer(self, rows: int, body: bytes) -> None:
        """Take the body of the response to the request for `rows` rows. Raises DeviceError unless it has just these."""
        windows, content = parse_sense(body, self._info.output_bytes, rows * self._row_bytes)
        check_windows(windows, slice(self._had, self._had + rows), self._info)
        self._windows += windows
        self._rows += content

    @property
    def sensed(self) -> Sensed:
        """All that has come back."""
        samples = np.frombuffer(bytes(self._rows), "<i2").reshape(-1, self._info.channels)
        return Sensed(samples.astype(np.int16), self._windows)

    @property
    def _row_bytes(self) -> int:
        return 2 * self._info.channels

    @property
    def _had(self) -> int:
        return len(self._rows) // self._row_bytes

    def _response_bytes(self, start: int, rows: int) -> int:
        first, end = (window_count(row, self._info.window, self._info.stride) for row in (start, start + rows))
        windows = (end - first) * (WINDOW_HEADER_BYTES + self._info.output_bytes)
        return REPLY_HEADER_BYTES + windows + rows * self._row_bytes
