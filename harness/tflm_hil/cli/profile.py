"""`hil profile`: what each operator takes."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from tflm_hil.cli.arguments import (
    BoardName,
    EngineName,
    ModelName,
    SampleName,
    SampleWindow,
    TargetName,
    VariantName,
)
from tflm_hil.cli.working import build_firmware, open_board, open_session, status
from tflm_hil.commands import profile as use_case
from tflm_hil.commands.sample import choose_sample
from tflm_hil.report.profile import profile_lines


def profile(
    model: ModelName,
    sample: SampleName = None,
    window: SampleWindow = 0,
    variant: VariantName = None,
    engine: EngineName = None,
    target: TargetName = None,
    board: BoardName = "emulated",
    as_json: Annotated[bool, typer.Option("--json", help="the figures as JSON, as in results.json")] = False,
) -> None:
    """Measure what each operator takes on the device: instructions in emulation, cycles on a board.

    One inference of an image that is built for this, with the kernels and the memory of the tested one.

    Example: hil profile gesture --variant int8
    """
    session = open_session(board, model, engine, target)
    firmware = build_firmware(session, variant)
    chosen = choose_sample(session, firmware, sample, window)
    with open_board(session) as opened, status(f"measuring {firmware.name}") as say:
        log = session.options.report_dir / "uart" / "profile.log"
        found = use_case.profile(session, opened, firmware, chosen, log, say=say)
    if as_json:
        print(msgspec.json.format(msgspec.json.encode(found)).decode())
    else:
        print(*profile_lines(found), sep="\n")
