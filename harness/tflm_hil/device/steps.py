"""What the steps of an inference took: the responses to STEPS requests, put together."""

import dataclasses

from tflm_hil.device.device_info import BACKWARDS, Counter, DeviceInfo
from tflm_hil.device.messages import StepsPart, parse_steps
from tflm_hil.errors import DeviceError


@dataclasses.dataclass(frozen=True)
class Steps:
    """The ticks of each step of an inference, in order. Every figure includes the `mark_ticks`."""

    mark_ticks: int
    ticks: list[int]


class StepsCollector:
    """Takes one response after another."""

    def __init__(self, info: DeviceInfo) -> None:
        self._info = info
        self._first: StepsPart | None = None
        self._ticks: list[int] = []

    @property
    def missing(self) -> bool:
        """Whether another response is needed, that to a request for the steps from number `next` on."""
        return self._first is None or self.next < self._first.total

    @property
    def next(self) -> int:
        """How many there are."""
        return len(self._ticks)

    def answer(self, body: bytes) -> None:
        """Take the body of a response. Raises DeviceError if it does not go on from the one before."""
        part = parse_steps(body)
        first = self._first = self._first or part
        self._ticks += part.ticks
        if (part.total, part.mark_ticks) != (first.total, first.mark_ticks):
            raise DeviceError(
                f"the device told of {part.total:,} steps and marks of {part.mark_ticks:,} ticks, but before of"
                f" {first.total:,} and {first.mark_ticks:,}: it has measured others in between"
            )
        if self.next > first.total or (not part.ticks and self.missing):
            raise DeviceError(f"the device has {first.total:,} steps, but told the ticks of {self.next:,}")
        if self._info.counter != Counter.NONE and not all(0 < t < BACKWARDS for t in (part.mark_ticks, *part.ticks)):
            raise DeviceError("the device's counter stood still or ran backwards in a step")

    @property
    def steps(self) -> Steps:
        """All that has come, once nothing is `missing`."""
        return Steps(self._first.mark_ticks if self._first else 0, self._ticks)
