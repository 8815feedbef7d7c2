"""`hil doctor`: what is missing, and the command that brings it."""

from __future__ import annotations

from pathlib import Path

import typer
from rich.table import Table

from tflm_hil.cli.working import status
from tflm_hil.commands.doctor import Finding, examine
from tflm_hil.report.text import table_lines


def doctor() -> None:
    """Say what this machine and this project need, what of it is missing, and the command that brings it.

    Ends with status 1 if something is missing that nothing runs without.

    Example: hil doctor
    """
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
