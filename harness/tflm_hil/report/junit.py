"""JUnit XML: what pytest's own plugin does not know of, the verdicts."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from _pytest.junitxml import LogXML

from tflm_hil.results.model import Results, Run


def add_verdicts(junit: LogXML, results: Results, missing: set[str]) -> None:
    """Add the verdicts as properties, and a test case for each run that is no pass for a reason that no test gave.

    It fails where the run fell behind the baseline, disagrees with another emulator, or one of the `missing` tests was
    to run; it is skipped where tests were left out on purpose.
    """
    for run in results.runs:
        junit.add_global_property(f"hil.verdict.{run.name}", run.verdict)
        told = {*(case.id for case in run.tests), *run.over_budget, *run.disagreements}
        regressions = [failure for failure in run.failures if failure not in told]
        if regressions:
            _add(junit, run, "baseline", "failed", "\n".join(regressions))
        if run.over_budget:
            _add(junit, run, "budget", "failed", "\n".join(run.over_budget))
        if run.disagreements:
            _add(junit, run, "emulators", "failed", "\n".join(run.disagreements))
        if run.verdict == "incomplete" or missing.intersection(run.not_run):
            outcome = "failed" if missing.intersection(run.not_run) else "skipped"
            _add(junit, run, "incomplete", outcome, _why(run, results.gaps))
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


def _add(junit: LogXML, run: Run, name: str, outcome: str, text: str) -> None:
    nodeid = f"hil::{run.name}::{name}"
    location = ("hil", None, run.name)
    longrepr = ("hil", 0, text) if outcome == "skipped" else text
    for when, result, why in (("call", outcome, longrepr), ("teardown", "passed", None)):
        junit.pytest_runtest_logreport(
            pytest.TestReport(nodeid, location, {}, result, why, when)  # type: ignore[arg-type]
        )
