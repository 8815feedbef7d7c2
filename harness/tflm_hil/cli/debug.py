"""`hil debug`: a program halted before its first instruction, and the command line that attaches GDB."""

from __future__ import annotations

import contextlib
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from tflm_hil.boards.flashers.gdb_server import ProbeGdbServer
from tflm_hil.boards.flashers.tool import Place
from tflm_hil.boards.qemu.gdb_server import QemuGdbServer
from tflm_hil.boards.spec import EMULATED, SERIAL
from tflm_hil.cli.arguments import BoardName, EngineName, ModelName, TargetName, VariantName
from tflm_hil.cli.run import choose_recording
from tflm_hil.cli.working import build_firmware, open_board, open_session, status
from tflm_hil.commands.debug import GdbServer, feed, gdb_command
from tflm_hil.errors import DeviceError, HilError
from tflm_hil.lab.build import Firmware
from tflm_hil.lab.session import Session

_LOOK_S = 0.2


def debug(
    model: ModelName,
    recording: Annotated[
        str | None, typer.Argument(metavar="RECORDING", help="is streamed as soon as the program runs, e.g. punch/017")
    ] = None,
    window: Annotated[int | None, typer.Option("--window", help="only this window of it, counted from 0")] = None,
    variant: VariantName = None,
    engine: EngineName = None,
    target: TargetName = None,
    board: BoardName = "emulated",
) -> None:
    """Start a GDB server with a halted program, and print the command line that attaches GDB, until Ctrl-C.

    In QEMU, or on a board through the debug probe that flashes it. GDB stops at main() and where faults go.

    Example: hil debug gesture punch/017 --window 0
    """
    if window is not None and recording is None:
        raise HilError(f"--window={window}: of no recording; name one after {model}, or leave the option out")
    session = open_session(board, model, engine, target)
    firmware = build_firmware(session, variant)
    chosen = choose_recording(session, firmware, recording, window) if recording is not None else None
    ending = threading.Event()
    with contextlib.suppress(KeyboardInterrupt), _serving(session, firmware, ending) as server:
        print(f"attach with:\n\n  {gdb_command(firmware.image, server)}\n\nend with Ctrl-C", flush=True)
        if chosen is not None:
            log = session.options.report_dir / "uart" / "debug.log"
            lines = feed(server.line(), firmware, chosen, log)
            threading.Thread(target=_show, args=(lines, ending), daemon=True).start()
        while not server.ended(_LOOK_S):
            pass
        print("the GDB server has ended")


@contextmanager
def _serving(session: Session, firmware: Firmware, ending: threading.Event) -> Iterator[GdbServer]:
    """The server, ended at the end, after `ending` is set; a board is flashed before, unless it runs this image."""
    with tempfile.TemporaryDirectory(prefix="hil-") as folder:
        server: GdbServer
        if session.board.name == EMULATED:
            server = QemuGdbServer(EMULATED, firmware.image, Path(folder))
        else:
            server = _probe(session, firmware, Path(folder))
        try:
            yield server
        finally:
            ending.set()
            server.close()


def _probe(session: Session, firmware: Firmware, folder: Path) -> GdbServer:
    (choice,), target = session.board.choices, firmware.image.target
    spec = choice.found.spec
    if spec.kind != SERIAL:
        raise HilError(f"board {spec.text}: `hil debug` knows the emulated board, and boards at serial ports; name one")
    settings, origin = spec.named.flash(target) if spec.named else (target.flash, target.file)
    if settings is None:
        raise HilError(f"board {spec.text}: nothing says how to reach its probe: add [flash] to {origin}")
    log = session.options.report_dir / "uart" / "debug.log"
    try:
        with (
            open_board(session) as opened,
            status("asking the board what it runs") as say,
            session.connected(opened, firmware, log, say=say),
        ):
            pass
    except DeviceError as error:
        print(f"hil: {error}")
    uart = spec.named.line(target.uart) if spec.named else target.uart
    return ProbeGdbServer(settings, Place(spec.text, spec.address, origin, folder), uart)


def _show(lines: Iterator[str], ending: threading.Event) -> None:
    try:
        for line in lines:
            print(line, flush=True)
    except HilError as error:
        if not ending.is_set():  # Otherwise it is the end of the server that broke the line.
            print(error, flush=True)
