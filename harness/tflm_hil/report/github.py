"""What GitHub Actions shows of a job: annotations beside the lines of files, and the summary of a step.

The syntax and its limits are those of docs.github.com, "Workflow commands for GitHub Actions".
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from tflm_hil.errors import HilError
from tflm_hil.report.findings import Finding, findings, improvements
from tflm_hil.report.markup import visible
from tflm_hil.report.pull_request import MARKER, render
from tflm_hil.results.model import Results

MOST_ANNOTATIONS = 10
"""Of each kind, errors and notices, that GitHub shows of a step."""
SUMMARY_LIMIT = 1024 * 1024
"""Bytes of the summary of a step."""
_LONGEST = 2_000


def running() -> bool:
    """Whether this is a job of GitHub Actions."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


def summary_file() -> Path | None:
    """Where the step's summary goes; None if this is no job of GitHub Actions."""
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    return Path(path) if running() and path else None


def annotation_lines(results: Results) -> Iterator[str]:
    """A command of a line each: errors first, then notices of what got better."""
    yield from _commands("error", findings(results))
    yield from _commands("notice", improvements(results))


def append_summary(results: Results, path: Path) -> None:
    """Add the summary to what earlier programs of the step have put there, as far as there is room.

    Raises:
        HilError: the file cannot be written to.
    """
    try:
        room = SUMMARY_LIMIT - (path.stat().st_size if path.exists() else 0)
        text = (render(results, room).removeprefix(MARKER) + "\n").encode()
        if len(text) <= room:
            with path.open("ab") as file:
                file.write(text)
    except OSError as error:
        raise HilError(f"{path}: cannot be written to ({error.strerror}); correct GITHUB_STEP_SUMMARY") from error


def _commands(kind: str, found: Sequence[Finding]) -> Iterator[str]:
    shown = found if len(found) <= MOST_ANNOTATIONS else found[: MOST_ANNOTATIONS - 1]
    for finding in shown:
        place = f"file={_property(finding.path)},line={finding.line}," if finding.path else ""
        yield f"::{kind} {place}title={_property(finding.rule)}::{_data(finding.message)}"
    if len(shown) < len(found):
        yield f"::{kind} title=hil::{len(found) - len(shown):,} more: see the summary of the job"


def _data(text: str) -> str:
    """`text` as the message of a command; lines stay lines."""
    lines = [visible(line) for line in text[:_LONGEST].split("\n")]
    return "\n".join(lines).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
