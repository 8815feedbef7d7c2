"""Rows of the device's own sensor: the SENSE requests, and what their responses mean."""

import dataclasses
from collections.abc import Iterator, Sequence

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


def joined(parts: Sequence[Sensed], info: DeviceInfo) -> Sensed:
    """Return what came in `parts` as one."""
    nothing = np.empty((0, info.channels), np.int16)
    return Sensed(
        np.concatenate([nothing, *(part.samples for part in parts)]),
        [window for part in parts for window in part.windows],
    )


class Sensing:
    """The requests for rows of the sensor, `rows` in all or without an end, and what comes back for each.

    A request is for `at_once` rows at most. Raises HilError if the device has no windows, or if a response has no room
    for a row.
    """

    def __init__(self, rows: int | None, info: DeviceInfo, at_once: int = _MOST_ROWS) -> None:
        if not info.window:
            raise HilError("the device takes tensors, not rows of a sensor; call infer() with its inputs")
        self._info = info
        self._wanted = rows
        self._at_once = min(at_once, _MOST_ROWS)
        self._had = 0

    def requests(self) -> Iterator[int]:
        """Yield how many rows to ask for next: a single one at first, which tells that the sensor has started."""
        most = 1
        while self._wanted is None or self._had < self._wanted:
            rows = most if self._wanted is None else min(most, self._wanted - self._had)
            while self._response_bytes(self._had, rows) > self._info.max_body:
                rows -= 1
                if rows == 0:
                    raise HilError(f"a response of {self._info.max_body} bytes has no room for a row and its window")
            yield rows
            most = self._at_once

    def answer(self, rows: int, body: bytes) -> Sensed:
        """Return what the response to the request for `rows` rows holds, the `body` being its.

        Raises DeviceError unless it has just these.
        """
        windows, content = parse_sense(body, self._info.output_bytes, rows * self._row_bytes)
        check_windows(windows, slice(self._had, self._had + rows), self._info)
        self._had += rows
        return Sensed(np.frombuffer(content, "<i2").reshape(-1, self._info.channels).astype(np.int16), windows)

    @property
    def _row_bytes(self) -> int:
        return 2 * self._info.channels

    def _response_bytes(self, start: int, rows: int) -> int:
        first, end = (window_count(row, self._info.window, self._info.stride) for row in (start, start + rows))
        windows = (end - first) * (WINDOW_HEADER_BYTES + self._info.output_bytes)
        return REPLY_HEADER_BYTES + windows + rows * self._row_bytes
