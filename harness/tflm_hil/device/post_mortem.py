"""Why a device crashed, and in which line: from CRASH, the STACK messages behind it, and the ELF file of its image."""

from __future__ import annotations

import itertools
import posixpath
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from tflm_hil.device.framing import Frame
from tflm_hil.device.link import Link
from tflm_hil.device.messages import Message, StackPart, parse_crash, parse_stack
from tflm_hil.device.text import printable
from tflm_hil.device.timeout import Deadline
from tflm_hil.errors import CrashError, HilError
from tflm_hil.firmware.backtrace import unwind
from tflm_hil.firmware.backtrace.places import Place
from tflm_hil.firmware.backtrace.program import Program

MOST_STACK_BYTES = 1 << 16
"""More is not taken from a device: no microcontroller's stack has more that matters."""

_PART_S = 0.5
"""The next part of the stack arrives sooner: it is sent without a pause. Other firmware may send none."""

_STACK_S = 5.0

_SHOWN = 4
"""Frames that one line names; the log has them all."""


class PostMortem:
    """What a device sent when it crashed. Raises DeviceError if `body` is no CRASH."""

    def __init__(self, body: bytes) -> None:
        self.crash = parse_crash(body)
        self.complete = False
        """Whether the last part of the stack has arrived."""
        self._memory: dict[int, int] = {}

    def take(self, part: StackPart) -> None:
        """Add a part of the stack."""
        words = struct.unpack(f"<{len(part.content) // 4}I", part.content[: len(part.content) // 4 * 4])
        for address, word in zip(itertools.count(part.address, 4), words, strict=False):
            if len(self._memory) < MOST_STACK_BYTES // 4:
                self._memory[address] = word
        self.complete = part.left == 0

    def explain(self, elf: Path | None) -> tuple[str, list[str]]:
        """Return one line about the crash, and the lines of the backtrace: none without `elf`, or if it cannot be read.

        `elf` is the file of the image that crashed.
        """
        try:
            program = Program(elf) if elf is not None else None
        except HilError:  # The crash is the news.
            program = None
        if program is None:
            return self.crash.describe(), []
        calls, lines, number = [], [], 0
        for frame, same in itertools.groupby(self._unwound(program)):
            count, places = len(list(same)), program.places(frame.address)
            times = f" {count} times" if count > 1 else ""
            calls.append((frame.how, _told(places, frame.address) + times))
            lines.append(
                f"#{number:<2} 0x{frame.address:08x} {frame.how.value} {_told(places, frame.address, True)}{times}"
            )
            number += count
        return self.crash.describe(_sentence(calls)), lines

    def _unwound(self, program: Program) -> list[unwind.Frame]:
        crash = self.crash
        registers = {unwind.SP: crash.sp, unwind.LR: crash.lr, unwind.PC: crash.pc}
        return unwind.unwind(program, registers | dict(enumerate(crash.r4_to_r11, 4)), self._memory)


def fail(link: Link, body: bytes, when: str = "") -> NoReturn:
    """Raise a DeviceError that explains the CRASH in `body`; read the stack from the line first."""
    found = link.parse(PostMortem, body)
    limit, silence = Deadline(_STACK_S, link.clock), Deadline(_PART_S, link.clock)
    while not (found.complete or limit.expired or silence.expired):
        item = link.receive(min(silence.left, limit.left))
        if isinstance(item, Frame) and item.type == Message.BOOT:
            break
        if isinstance(item, Frame) and item.type == Message.STACK:
            found.take(link.parse(parse_stack, item.body))
            silence.restart()
    sentence, lines = found.explain(link.elf)
    for line in lines:
        link.log.note(line)
    link.fail(f"{link.name} crashed{when}: {sentence}", CrashError)


def _told(places: Sequence[Place], address: int, whole_path: bool = False) -> str:
    """Return e.g. `scale (scale.h:7) inlined in run (model.c:40)`; the address if nothing is known of it."""

    def one(place: Place) -> str:
        file = place.file if whole_path else posixpath.basename(place.file)
        return printable((f"{place.function} ({file}:{place.line})" if place.file else place.function).encode())

    return " inlined in ".join(map(one, places)) if places else f"0x{address:08x}"


def _sentence(calls: Sequence[tuple[unwind.How, str]]) -> str:
    """Return e.g. `in f (a.c:1), called from g (b.c:2), main (main.c:3)`."""
    said, before = [], None
    for how, text in calls[:_SHOWN]:
        said.append(text if how is before else f"{how.value} {text}")
        before = how
    return ", ".join([*said, *(["..."] if len(calls) > _SHOWN else [])])
