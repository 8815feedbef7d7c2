"""The process that keeps a place, as the run sees it."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import tempfile
from typing import TypeVar

import msgspec

from tflm_hil.boards.labgrid.keeper_process import Answer, Question
from tflm_hil.device.timeout import Deadline
from tflm_hil.errors import HilError
from tflm_hil.processes import stop
from tflm_hil.progress import Say, silent

_SILENCE_S = 90.0
"""A process that says nothing for longer than all that it waits for hangs."""
_END_S = 20.0

Result = TypeVar("Result")


class Keeper:
    """A process with a session of labgrid. The place that it acquires is released when it is closed, or the run ends.

    It is a process of its own for two reasons. It outlives a run that is killed, and releases the place. And labgrid is
    built on gRPC, which now and then makes a fork of its process crash: the run starts compilers and tools.
    """

    def __init__(self) -> None:
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "tflm_hil.boards.labgrid.keeper_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            bufsize=0,
            process_group=0,  # Ctrl-C reaches the run alone.
        )
        self._read = b""
        self._in_step = True

    def ask(self, question: Question, kind: type[Result], say: Say = silent) -> Result:
        """Have something done, and return what came of it. `say` is told what it waits for.

        Raises HilError.
        """
        if not self._in_step:
            raise HilError(self._hangs)
        self._in_step = False
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(msgspec.json.encode(question) + b"\n")
        except BrokenPipeError:
            raise self._dead() from None
        while (answer := msgspec.json.decode(self._line(), type=Answer)).say:
            say(answer.say)
        self._in_step = True
        if answer.error:
            raise HilError(answer.error)
        return msgspec.convert(answer.result, kind)

    @property
    def in_step(self) -> bool:
        """Whether it can be asked: not after it was interrupted in the middle of an answer."""
        return self._in_step

    def close(self) -> None:
        """End the process, which releases its place; closing twice is harmless."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        stop(self._process, _END_S)
        self._complaints.close()

    def _line(self) -> bytes:
        assert self._process.stdout is not None
        deadline = Deadline(_SILENCE_S)
        while b"\n" not in self._read:
            if not select.select([self._process.stdout], [], [], deadline.left)[0]:
                raise HilError(self._hangs)
            if not (received := os.read(self._process.stdout.fileno(), 65536)):
                raise self._dead()
            self._read += received
        line, _, self._read = self._read.partition(b"\n")
        return line

    _hangs = f"labgrid's session says nothing for {_SILENCE_S:g} s: is its coordinator or an exporter overloaded?"

    def _dead(self) -> HilError:
        self._process.wait()
        self._complaints.seek(0)
        said = self._complaints.read().decode(errors="replace").split("\n")
        last = next((line for line in reversed(said) if line.strip()), f"exit status {self._process.returncode}")
        return HilError(f"the process with labgrid's session ended: {last.removeprefix('hil: ')}")
