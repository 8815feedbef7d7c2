"""`hil trace`: operator by operator, the device against the reference."""

from __future__ import annotations

import typer
from rich.table import Table

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
from tflm_hil.commands import trace as use_case
from tflm_hil.commands.sample import choose_sample
from tflm_hil.report.text import table_lines


def trace(
    model: ModelName,
    sample: SampleName = None,
    window: SampleWindow = 0,
    variant: VariantName = None,
    engine: EngineName = None,
    target: TargetName = None,
    board: BoardName = "emulated",
) -> None:
    """Run the debug image on one window, and hold every operator against the reference.

    Example: hil trace gesture punch/017 --window 0
    """
    session = open_session(board, model, engine, target)
    firmware = build_firmware(session, variant)
    chosen = choose_sample(session, firmware, sample, window)
    with open_board(session) as opened, status(f"tracing {chosen.name}") as say:
        log = session.options.report_dir / "uart" / "trace.log"
        found = use_case.trace(session, opened, firmware, chosen, log, say=say)
    table = Table("what", "with the reference", "tensor", "name", box=None)
    for layer in found.layers:
        said = str(layer.difference) if layer.difference else "agrees" if layer.kept else "not shown by the device"
        table.add_row(layer.name, said, str(layer.tensor.index), layer.tensor.name)
    print(*table_lines(table), sep="\n")
    print(found)
    if found.first:
        raise typer.Exit(1)
