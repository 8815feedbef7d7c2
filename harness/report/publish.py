"""Writing the reports of a session and holding it against its baseline."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.files import write_text
from harness.report import baseline
from harness.report.markdown import render
from harness.report.results import Results, save


@dataclass(frozen=True)
class Published:
    """The results and where they are. `comparison` is None without a baseline."""

    results: Results
    results_file: Path
    report: Path
    comparison: baseline.Comparison | None

    @property
    def regressed(self) -> bool:
        """Whether a figure fell behind the baseline."""
        return self.comparison is not None and bool(self.comparison.regressions)

    @property
    def notes(self) -> list[str]:
        """What the baseline has to say, for the terminal."""
        if self.comparison is None:
            return []
        return [
            *(f"baseline: {reason}" for reason in self.comparison.incomparable),
            *(f"baseline: has no {name}; add it with --hil-update-baseline" for name in self.comparison.missing),
            *(f"{'REGRESSED' if change.regressed else 'changed'}: {change}" for change in self.comparison.changes),
        ]


def publish(results: Results, folder: Path, held_against: Results | None) -> Published:
    """Write results.json and report.md into `folder`; a run that fell behind `held_against` fails.

    Raises:
        HilError: a file cannot be written.
    """
    comparison = None
    if held_against is not None:
        comparison = baseline.compare(results, held_against)
        for run in results.runs:
            regressions = [str(change) for change in comparison.regressions if change.run == run.name]
            run.failures += regressions
            run.verdict = "fail" if regressions else run.verdict
    published = Published(results, folder / "results.json", folder / "report.md", comparison)
    save(results, published.results_file)
    write_text(published.report, render(results, comparison))
    return published
