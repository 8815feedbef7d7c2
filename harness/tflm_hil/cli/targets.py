"""`hil targets`: the chips that firmware is built for."""

from __future__ import annotations

from pathlib import Path

from rich.table import Table

from tflm_hil.cli.working import nearest_configuration
from tflm_hil.report.text import table_lines
from tflm_hil.targets import load_targets


def targets() -> None:
    """List the targets: those of tflm-hil, and those that this project adds.

    A target without an emulator needs a real board, one without firmware an application of your own.

    Example: hil targets
    """
    with nearest_configuration() as configuration:
        folder = configuration.targets
    table = Table(
        "target", "chip", "board", "core", "MHz", "flash", "RAM", "in QEMU", "in Renode", "firmware", "file", box=None
    )
    for target in load_targets(folder).values():
        table.add_row(
            target.name,
            target.chip,
            target.board or "",
            target.core,
            f"{target.clock_hz / 1e6:g}",
            target.memory["flash"].size,
            target.memory["ram"].size,
            target.qemu.machine if target.qemu else "",
            Path(target.renode.base or "its own").stem if target.renode else "",
            "ours" if target.build else "your own",
            str(target.file.relative_to(folder.parent)) if target.file.is_relative_to(folder) else "",
        )
    print(*table_lines(table), sep="\n")
