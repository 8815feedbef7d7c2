"""What a session comes to: its exit status, and the reasons for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest

from tflm_hil.results.exit_status import exit_status
from tflm_hil.results.judge import NO_BASELINE
from tflm_hil.results.model import Results

INFRASTRUCTURE = "hil_infrastructure"
"""The attribute of a report of a test that failed because of board, emulator, probe, toolchain or build."""


@dataclass
class Outcome:
    """The reasons for a status that is not 0: what `failed`, what `regressed`, and what is `broken`."""

    failed: list[str] = field(default_factory=list)
    regressed: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def add_tests(self, reports: Iterable[pytest.TestReport]) -> None:
        """The tests that failed, of firmware or not."""
        for report in reports:
            if report.failed:
                blamed = self.broken if getattr(report, INFRASTRUCTURE, False) else self.failed
                blamed += [report.nodeid] if report.nodeid not in blamed else []

    def add_results(self, results: Results) -> None:
        """What the runs of this session fail for beside their tests."""
        for run in results.runs:
            if run.current:
                self.failed += [f"{run.name}: {why}" for why in (*run.over_budget, *run.disagreements)]
                worse = run.comparison.regressions if run.comparison else []
                self.regressed += [f"{run.name} {change.metric}" for change in worse]
                self.regressed += [f"{run.name}: {NO_BASELINE}"] if NO_BASELINE in run.failures else []
        self.regressed += results.failures

    def applied_to(self, session: pytest.Session) -> str:
        """Give `session` its exit status, unless pytest did not come to the end; return what to say of it."""
        if session.exitstatus not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
            return ""
        if session.exitstatus != pytest.ExitCode.OK and not (self.failed or self.broken):
            self.failed.append("pytest or another plugin says so")
        status, why = exit_status(self.failed, self.regressed, self.broken)
        session.exitstatus = int(status)
        return f"exit status {status}: {why}" if status else ""
