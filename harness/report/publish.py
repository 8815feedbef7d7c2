"""Writing the reports of a session and holding it against its baseline."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.files import write_text
from harness.options import Options
from harness.report import baseline
from harness.report.markdown import render
from harness.report.results import Results, save


@dataclass(frozen=True)
class Published:
    """The results and where they are. `comparison` is None without a baseline; `notes` are lines for the terminal."""

    results: Results
    results_file: Path
    report: Path
    comparison: baseline.Comparison | None
    notes: list[str]

    @property
    def regressed(self) -> bool:
        """Whether a figure fell behind the baseline."""
        return self.comparison is not None and bool(self.comparison.regressions)


def publish(results: Results, options: Options, passed: bool) -> Published:
    """Write results.json and report.md into the report folder; compare with or update the baseline.

    Raises:
        HilError: a file cannot be written, or the baseline cannot be read.
    """
    results_file = options.report_dir / "results.json"
    save(results, results_file)
    comparison, notes = _baseline(results, options, passed)
    report = options.report_dir / "report.md"
    write_text(report, render(results, comparison))
    return Published(results, results_file, report, comparison, notes)


def _baseline(results: Results, options: Options, passed: bool) -> tuple[baseline.Comparison | None, list[str]]:
    if options.baseline_dir is None:
        return None, []
    if not options.update_baseline:
        comparison = baseline.compare(results, options.baseline_dir)
        return comparison, [
            *(f"baseline: {reason}" for reason in comparison.incomparable),
            *(f"baseline: has no {name}; add it with --hil-update-baseline" for name in comparison.missing),
            *(f"{'REGRESSED' if change.regressed else 'changed'}: {change}" for change in comparison.changes),
        ]
    if not passed:
        return None, ["baseline: not updated, because tests failed"]
    return None, [f"baseline: written to {baseline.update(results, options.baseline_dir)}"]
