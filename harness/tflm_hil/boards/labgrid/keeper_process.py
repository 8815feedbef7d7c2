"""The process that keeps a place for a run; see Keeper.

    python -m tflm_hil.boards.labgrid.keeper_process

It reads a Question from each line of its input, and writes Answers to its output. When its input ends, because the run
has ended in whatever way, it releases the place.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any, BinaryIO, Literal

import msgspec

from tflm_hil.boards.labgrid.coordinator import Coordinator
from tflm_hil.boards.labgrid.lease import PlaceLease
from tflm_hil.boards.labgrid.place_queue import PlaceQueue
from tflm_hil.boards.labgrid.request import PlaceRequest
from tflm_hil.device.timeout import Deadline
from tflm_hil.errors import HilError
from tflm_hil.progress import Say

START_S = 10.0
"""An exporter starts its server of the port when a place is acquired."""
_POLL_S = 0.05


class Question(msgspec.Struct):
    """What is to be done, with what `seconds` allow for it. The first two need a `request`."""

    do: Literal["check", "acquire", "serial_port", "trouble", "release"]
    request: PlaceRequest | None = None
    seconds: float = 0.0


class Answer(msgspec.Struct, omit_defaults=True):
    """What takes its time (`say`, any number of times before the end), or what came of it: `error`, or `result`."""

    say: str = ""
    error: str = ""
    result: Any = None


class Acquired(msgspec.Struct):
    """The answer to `acquire`: the name of the place, and the kinds of resources that it has."""

    place: str
    kinds: list[str]


class Keeping:
    """What is kept."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._lease: PlaceLease | None = None

    def answer(self, question: Question) -> Any:
        """Do what is asked. Raises HilError."""
        method: Callable[[Question], Any] = getattr(self, question.do)
        return method(question)

    def check(self, question: Question) -> int:
        """See PlaceQueue."""
        assert question.request is not None
        coordinator = Coordinator(question.request.coordinator)
        try:
            return PlaceQueue(coordinator, question.request).check()
        finally:
            coordinator.close()

    def acquire(self, question: Question) -> Acquired:
        """Acquire a place, see PlaceQueue, and return it when its serial port is served."""
        assert question.request is not None
        coordinator = Coordinator(question.request.coordinator)
        try:
            self._lease = PlaceQueue(coordinator, question.request).take(question.seconds, self._say)
        except BaseException:
            coordinator.close()
            raise
        self._lease.serial_port(START_S, self._say)
        return Acquired(self._lease.name, self._lease.kinds())

    def serial_port(self, question: Question) -> Any:
        """See PlaceLease."""
        return self._held.serial_port(question.seconds, self._say)

    def trouble(self, question: Question) -> str:
        """Return what is wrong with the place, or "" if nothing comes out in time.

        The coordinator learns a little later than the run that an exporter has gone.
        """
        deadline = Deadline(question.seconds)
        while not (trouble := self._held.trouble()) and not deadline.expired:
            time.sleep(_POLL_S)
        return trouble

    def release(self, _question: Question | None = None) -> None:
        """Release the place, if there is one. Raises HilError if that was in vain."""
        lease, self._lease = self._lease, None
        if lease is not None:
            lease.release()

    @property
    def _held(self) -> PlaceLease:
        assert self._lease is not None
        return self._lease


def keep(questions: BinaryIO, answers: BinaryIO) -> None:
    """Answer until there are no more questions. It also ends, by an exception, when nobody reads what it says."""

    def tell(answer: Answer) -> None:
        answers.write(msgspec.json.encode(answer) + b"\n")
        answers.flush()

    keeping = Keeping(lambda text: tell(Answer(say=text)))
    try:
        for line in questions:
            try:
                result = keeping.answer(msgspec.json.decode(line, type=Question))
            except HilError as error:
                tell(Answer(error=str(error)))
            else:
                tell(Answer(result=result))
    finally:
        keeping.release()


def main() -> None:
    """See the head of this file. What labgrid prints goes to stderr."""
    for number in (signal.SIGINT, signal.SIGTERM):  # It ends after the run, not with it.
        signal.signal(number, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        keep(sys.stdin.buffer, answers)
    except HilError as error:
        sys.exit(f"hil: {error}")


if __name__ == "__main__":
    main()
