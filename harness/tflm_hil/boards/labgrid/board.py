"""A board at a place of a lab."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from tflm_hil.boards.board import Board
from tflm_hil.boards.counters import CycleCounter
from tflm_hil.boards.flashers.by_hand import FlashByHand
from tflm_hil.boards.flashers.tool import Place, ToolFlasher
from tflm_hil.boards.labgrid.keeper import Keeper
from tflm_hil.boards.labgrid.keeper_process import Question
from tflm_hil.boards.labgrid.line import PlaceLine
from tflm_hil.boards.labgrid.remote_tools import RemoteTools
from tflm_hil.boards.labgrid.request import parse
from tflm_hil.boards.serial.named_reset import serial_reset
from tflm_hil.boards.spec import UART, BoardSpec
from tflm_hil.errors import HilError
from tflm_hil.progress import Say
from tflm_hil.targets import Target


class LabgridKind:
    """Boards of a lab, by the name of their place or by its tags; see BoardKind."""

    def check(self, spec: BoardSpec, targets: Sequence[Target]) -> None:
        """See BoardKind."""
        request = parse(spec)
        if len(targets) != 1:
            raise HilError(f"{len(targets)} targets for {spec.text}, which is one chip; name one target")
        with closing(Keeper()) as keeper:
            keeper.ask(Question("check", request), int)

    def links(self, _spec: BoardSpec) -> Sequence[str]:
        """See BoardKind."""
        return (UART,)

    def processes(self, spec: BoardSpec) -> int:
        """See BoardKind: one for each place that fits."""
        with closing(Keeper()) as keeper:
            return keeper.ask(Question("check", parse(spec)), int)

    def open(self, spec: BoardSpec, targets: Sequence[Target], run_dir: Path, say: Say) -> Board:
        """See BoardKind. Acquires a place, and waits for one."""
        (target,), request, named = targets, parse(spec), spec.named
        line = PlaceLine(request, named.line(target.uart) if named else target.uart)
        acquired = line.acquire(say)
        try:
            settings, origin = named.flash(target) if named else (target.flash, target.file)
            tools = RemoteTools(request.coordinator, acquired, Place(spec.text, line.url, origin, run_dir))
            flasher = tools.flasher(settings) if settings else FlashByHand(spec.text, target)
            tool = flasher if isinstance(flasher, ToolFlasher) else None
            return Board(
                spec.text,
                None,
                console=line,
                reset=serial_reset(spec.text, named, tool, run_dir, tools.power()),
                flasher=flasher,
                counter=CycleCounter(target.core),
                lease=line,
            )
        except BaseException:
            line.release()
            raise
