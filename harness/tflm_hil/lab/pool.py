"""The boards of a run as if they were one: which is used for what, and what becomes of the work of one that dies."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import wait
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from tflm_hil.boards.board import Board
from tflm_hil.boards.selection import BoardSet
from tflm_hil.errors import CrashError, DeviceError, HilError
from tflm_hil.lab.build import Firmware
from tflm_hil.lab.claims import EVERY, Claims
from tflm_hil.lab.dut import DeviceUnderTest, Progress, silent
from tflm_hil.lab.losses import Loss, LostError
from tflm_hil.lab.measurement import Measurement, TensorMeasurement, together
from tflm_hil.lab.pool_member import Member
from tflm_hil.lab.session import Session
from tflm_hil.lab.work import Work
from tflm_hil.models.stimuli import Stimulus
from tflm_hil.progress import Say
from tflm_hil.progress import silent as unsaid
from tflm_hil.recordings import Recording
from tflm_hil.recordings.windows import window_count
from tflm_hil.results.parts import BoardPart

_POLL_S = 0.2


class NoBoardError(HilError):
    """None of several boards runs a firmware. It may be the firmware that they all fail with."""


class _StoppedError(Exception):
    """Somebody else has failed or was interrupted."""


class BoardPool:
    """The boards of `boards` that this process has, as far as `claims` say; what they write goes to `folder`.

    Of several, one that cannot be connected to is left out from then on: with this firmware if it answers wrongly or
    not at all, with every one if it cannot even be reached or flashed. The error of an only board is told as it is.
    """

    def __init__(self, session: Session, boards: BoardSet, folder: Path, claims: Claims) -> None:
        self.name = boards.name
        self.emulator = boards.emulator
        self.several = len(boards.choices) > 1
        self._session = session
        self._claims = claims
        self._members = [
            Member(number, choice, session, folder / str(number) if self.several else folder, not self.several)
            for number, choice in enumerate(boards.choices)
        ]

    @property
    def opened(self) -> list[Board]:
        """The boards that are open."""
        return [member.opened for member in self._members if member.opened is not None]

    def first(self, say: Say = unsaid) -> Board:
        """The first board that can be opened. Raises HilError if there is none."""
        while member := self._take("", say):
            try:
                return member.open(say)
            except HilError as error:
                self._failed(member, "", error)
        raise self._none("")

    @contextmanager
    def connected(
        self, firmware: Firmware, log: Path, progress: Progress = silent, say: Say = unsaid
    ) -> Iterator[DeviceUnderTest]:
        """A session with the first board that `firmware` runs on.

        Raises:
            NoBoardError: it runs on none of several.
            HilError: see Session.connected.
        """
        with ExitStack() as stack:
            yield self._connect(stack, firmware, log, progress, say)

    def infer(
        self, firmware: Firmware, stimuli: Sequence[Stimulus], log: Path, progress: Progress, say: Say
    ) -> TensorMeasurement:
        """What the first board answers to `stimuli`; if it dies, another one does what is left.

        Raises NoBoardError if no board is left.
        """
        left, done = list(stimuli), None
        lost: tuple[Loss, ...] = ()
        for number in range(len(self._members) + 1):
            with self.connected(firmware, _log(log, number), progress, say) as device:
                part = device.infer(left, go_on=True)
            done = done.completed(part) if done else part
            untried = sum(not loss.tried for loss in part.lost)
            if not untried:
                break
            # It died with the one before those that it did not try.
            again = {loss.name for loss in part.lost[-untried - 1 :]}
            lost += part.lost[: -untried - 1]
            left = [stimulus for stimulus in left if stimulus.name in again]
        assert done is not None
        return replace(done, lost=(*lost, *done.lost))

    def stream(
        self, firmware: Firmware, recordings: Sequence[Recording], log: Path, progress: Progress, say: Say
    ) -> Measurement:
        """Spread `recordings` over all boards: each takes the next one when it has done one.

        The measurement is as if one board had done it: in the order of `recordings`. What a board has that dies is done
        by another one.

        Raises:
            NoBoardError: no board is left.
            LostError: boards that live on answered nothing at all.
        """
        model = firmware.model
        self._session.reference(firmware.variant.path)  # Threads should not make it at the same time.
        sizes = [window_count(len(recording.samples), model.window, model.stride) for recording in recordings]
        work, total, began = Work(sizes), _Total(progress, say, sum(sizes)), time.monotonic()
        while work.left:
            members = self._usable(firmware.name, say)
            if not members:
                raise self._none(firmware.name)

            def serve(member: Member) -> None:
                try:
                    self._serve(member, work, firmware, recordings, _log(log, member.number), total)
                except _StoppedError:
                    pass
                except BaseException:
                    work.stop()
                    raise

            if len(members) == 1:
                serve(members[0])
                continue
            serving = [member.thread.submit(serve, member) for member in members]
            try:
                wait(serving)
            except BaseException:
                work.stop()
                wait(serving)
                raise
            for each in serving:
                each.result()
        answered = [work.answered[item] for item in sorted(work.answered)]
        lost = tuple(work.lost[item] for item in sorted(work.lost))
        if not answered:
            raise LostError(lost, others=False)
        whole = together(answered)
        return replace(whole, lost=lost, traffic=replace(whole.traffic, seconds=time.monotonic() - began))

    def parts(self, process: str) -> list[BoardPart]:
        """What became of each board that this `process` has used."""
        return [
            BoardPart(name=member.name, process=process, windows=member.windows, ended=member.ended)
            for member in self._members
            if member.windows or member.ended
        ]

    def close(self) -> None:
        """Close all boards; closing twice is harmless."""
        with ExitStack() as stack:
            for member in self._members:
                stack.callback(self._claims.give_back, member.number)
                stack.callback(member.close)

    def _connect(
        self, stack: ExitStack, firmware: Firmware, log: Path, progress: Progress, say: Say
    ) -> DeviceUnderTest:
        while member := self._take(firmware.name, say):
            try:
                return stack.enter_context(member.connected(firmware, log.stem, log, progress, say))
            except HilError as error:
                self._failed(member, firmware.name, error)
        raise self._none(firmware.name)

    def _serve(
        self,
        member: Member,
        work: Work,
        firmware: Firmware,
        recordings: Sequence[Recording],
        log: Path,
        total: _Total,
    ) -> None:
        """Let `member` do what is left until all is done, or until it dies."""
        try:
            with member.connected(firmware, "", log, total.of(work), total.say_of(work)) as device:
                while (item := work.take()) is not None:
                    member.at(firmware, recordings[item].name)
                    measurement = device.stream([recordings[item]], go_on=True)
                    if not measurement.lost:
                        work.answer(item, measurement)
                        continue
                    (loss,) = measurement.lost
                    try:
                        device.reconnect()
                    except HilError:
                        # Another board may answer it. But that it crashed the firmware must not go unsaid.
                        (work.lose if isinstance(loss.error, CrashError) else work.give_back)(item, loss)
                        raise
                    work.lose(item, loss)
        except HilError as error:
            self._failed(member, firmware.name, error)

    def _take(self, firmware: str, say: Say) -> Member | None:
        """A board that is not left out; waits for one that another process has. None if there is none."""
        while True:
            left = [member for member in self._members if not self._claims.left_out(member.number, firmware)]
            for member in sorted(left, key=lambda member: member.opened is None):
                if self._claims.take(member.number):
                    return member
            if not left:
                return None
            say("waiting for a board that another process has")
            time.sleep(_POLL_S)

    def _usable(self, firmware: str, say: Say) -> list[Member]:
        if self._claims.shared:
            member = self._take(firmware, say)
            return [member] if member else []
        return [member for member in self._members if not self._claims.left_out(member.number, firmware)]

    def _failed(self, member: Member, firmware: str, error: HilError) -> None:
        """Leave `member` out after `error`. An only board stays: the error is raised again."""
        if not self.several:
            raise error
        answers = isinstance(error, DeviceError)
        self._claims.leave_out(member.number, firmware if answers else EVERY, str(error))
        member.ended = f"{firmware}: {error}" if answers else str(error)
        if self._claims.shared:
            member.close()
            self._claims.give_back(member.number)

    def _none(self, firmware: str) -> NoBoardError:
        reasons = [f"{member.name}: {self._claims.left_out(member.number, firmware)}" for member in self._members]
        error = NoBoardError(f"no board is left{f' for {firmware}' if firmware else ''}: {'; '.join(reasons)}")
        # What none of them could be reached for, or flashed with, has not been tried.
        error.infrastructure = all(self._claims.left_out(member.number, EVERY) for member in self._members)
        return error


class _Total:
    """Adds up what several boards have done of `total`, and tells it one at a time: those who are told have no lock."""

    def __init__(self, progress: Progress, say: Say, total: int) -> None:
        self._progress = progress
        self._say = say
        self._total = total
        self._done: dict[object, int] = {}
        self._lock = threading.Lock()

    def say_of(self, work: Work) -> Say:
        """What tells the user of one board. It ends its part of `work` as `of` does: flashing may take minutes."""

        def say(text: str) -> None:
            if work.stopped:
                raise _StoppedError
            with self._lock:
                self._say(text)

        return say

    def of(self, work: Work) -> Progress:
        """The progress of one board with a part of `work`. It raises _StoppedError when that has been stopped."""
        before, last, key = 0, 0, object()

        def progress(kind: str, done: int, _total: int) -> None:
            nonlocal before, last
            if work.stopped:
                raise _StoppedError
            before, last = (before + last, done) if done < last else (before, done)
            with self._lock:
                self._done[key] = before + last
                self._progress(kind, min(sum(self._done.values()), self._total), self._total)

        return progress


def _log(log: Path, number: int) -> Path:
    """The log of another board, or of another session, beside `log`."""
    return log.with_name(f"{log.stem}-{number}{log.suffix}") if number else log
