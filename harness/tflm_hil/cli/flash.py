"""`hil flash`: an image onto a board."""

from __future__ import annotations

from typing import Annotated

import typer

from tflm_hil.cli.arguments import EngineName, ModelName, TargetName, VariantName
from tflm_hil.cli.working import build_firmware, open_board, open_session, status
from tflm_hil.errors import HilError
from tflm_hil.lab.options import Flash


def flash(
    model: ModelName,
    board: Annotated[str, typer.Option("--board", help="a serial port, a URL or a name of yours")] = "auto",
    variant: VariantName = None,
    engine: EngineName = None,
    target: TargetName = None,
) -> None:
    """Flash a board, whatever it runs, and ask it what it runs then.

    Example: hil flash gesture --board /dev/ttyACM0
    """
    session = open_session(board, model, engine, target, Flash.ALWAYS)
    if session.board.emulator:
        raise HilError(f"board {session.board.name} is emulated and keeps no image; connect a board, or name one")
    firmware = build_firmware(session, variant)
    log = session.options.report_dir / "uart" / "flash.log"
    with (
        open_board(session) as opened,
        status(f"flashing {opened.name}") as say,
        session.connected(opened, firmware, log, say=say) as device,
    ):
        runs = device.info.build_id.hex()
    print(f"{opened.name} runs {firmware.name}, build {runs}")
