"""JUnit XML: what pytest's own plugin does not know of, the verdicts."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from _pytest.junitxml import LogXML

from tflm_hil.report.baseline import regression
from tflm_hil.results.judge import NO_BASELINE
from tflm_hil.results.model import Results, Run


def add_verdicts(junit: LogXML, results: Results, missing: set[str]) -> None:
    """Add the verdicts as properties, and a test case for each run that is no pass for a reason that no test gave.

    There is one for each figure that fell behind. The others fail where the run is over a budget, disagrees with
    another emulator, has no baseline but must, or one of the `missing` tests was to run; they are skipped where tests
    were left out on purpose.
    """
    for run in results.runs:
        junit.add_global_property(f"hil.verdict.{run.name}", run.verdict)
        for change in run.comparison.regressions if run.comparison else ():
            _add(junit, run.name, change.metric, "failed", regression(run, change))
        if NO_BASELINE in run.failures:
            _add(junit, run.name, "baseline", "failed", NO_BASELINE)
        if run.over_budget:
            _add(junit, run.name, "budget", "failed", "\n".join(run.over_budget))
        if run.disagreements:
            _add(junit, run.name, "emulators", "failed", "\n".join(run.disagreements))
        if run.verdict == "incomplete" or missing.intersection(run.not_run):
            outcome = "failed" if missing.intersection(run.not_run) else "skipped"
            _add(junit, run.name, "incomplete", outcome, _why(run, results.gaps))
    for failure in results.failures:
        _add(junit, "session", failure.partition(":")[0], "failed", failure)
    for name in results.left_out:
        junit.add_global_property(f"hil.verdict.{name}", "left out")


def unfinished() -> str:
    """The file of a session that has not ended."""
    suite = ET.Element("testsuite", name="pytest", errors="0", failures="1", skipped="0", tests="1")
    case = ET.SubElement(suite, "testcase", classname="hil", name="session")
    ET.SubElement(case, "failure", message="the session has not ended")
    root = ET.Element("testsuites")
    root.append(suite)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _why(run: Run, gaps: list[str]) -> str:
    lines = [f"incomplete: {gap}" for gap in gaps]
    if run.not_run:
        lines.append(f"{len(run.not_run)} of {len(run.tests)} tests have not run: {', '.join(run.not_run)}")
    return "\n".join(lines) or "no test of it passed"


def _add(junit: LogXML, run: str, name: str, outcome: str, text: str) -> None:
    nodeid = f"hil::{run}::{name}"
    location = ("hil", None, run)
    longrepr = ("hil", 0, text) if outcome == "skipped" else text
    for when, result, why in (("call", outcome, longrepr), ("teardown", "passed", None)):
        junit.pytest_runtest_logreport(
            pytest.TestReport(nodeid, location, {}, result, why, when)  # type: ignore[arg-type]
        )
