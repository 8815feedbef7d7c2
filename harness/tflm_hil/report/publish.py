"""Writing the reports of a session."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tflm_hil.files import write_text
from tflm_hil.report import badge, code_quality, pull_request
from tflm_hil.report.html import page
from tflm_hil.report.html.trend import Trends
from tflm_hil.report.markdown import render
from tflm_hil.results.model import Results, save


@dataclass(frozen=True)
class Published:
    """The results and where they are; `lines` are those of other plugins."""

    results: Results
    results_file: Path
    report: Path
    lines: Sequence[str] = ()


def publish(results: Results, folder: Path, lines: Sequence[str] = (), trends: Trends | None = None) -> Published:
    """Write results.json and all that is drawn from it into `folder`; report.html shows `trends`, if there are any.

    Raises:
        HilError: a file cannot be written.
    """
    published = Published(results, folder / "results.json", folder / "report.md", lines)
    save(results, published.results_file)
    write_text(published.report, render(results, lines))
    write_text(folder / "report.html", page.render(results, trends, lines))
    write_text(folder / "pull_request.md", pull_request.render(results))
    write_text(folder / "code-quality.json", code_quality.render(results))
    write_text(folder / "badge.svg", badge.render(results))
    return published
