"""`hil doctor`: what is missing, and the command that brings it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from tflm_hil.boards import rights
from tflm_hil.boards.udev_rules import udev_rules
from tflm_hil.cli.working import status
from tflm_hil.commands.doctor.examination import examine
from tflm_hil.commands.doctor.finding import Finding
from tflm_hil.report.text import table_lines


def doctor(
    rules: Annotated[
        bool, typer.Option("--udev-rules", help="only print rules for udev that let users open debug probes")
    ] = False,
) -> None:
    """Say what this machine and this project need, what of it is missing, and the command that brings it.

    Ends with status 1 if something is missing that nothing runs without: what real boards need is optional.

    Example: hil doctor
    """
    if rules:
        print(udev_rules(rights.first_group(rights.PROBE_GROUPS)))
        return
    with status("looking"):
        findings = list(examine(Path.cwd()))
    table = Table("", "what", "found", "to mend it", box=None)
    for finding in findings:
        table.add_row(_verdict(finding), finding.what, finding.found, "" if finding.right else finding.command)
    print(*table_lines(table), sep="\n")
    if any(finding.needed and not finding.right for finding in findings):
        raise typer.Exit(1)


def _verdict(finding: Finding) -> str:
    if finding.right:
        return "ok"
    return "MISSING" if finding.needed else "optional"
