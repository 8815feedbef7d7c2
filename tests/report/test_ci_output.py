"""What CI servers read: annotations and summary of GitHub Actions, code quality of GitLab, and the badge."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from support.made_results import compared, failed, larger, results, run, slower
from tflm_hil.errors import HilError
from tflm_hil.report import badge, code_quality
from tflm_hil.report.github import SUMMARY_LIMIT, annotation_lines, append_summary
from tflm_hil.report.pull_request import MARKER, render
from tflm_hil.results.judge import NO_BASELINE
from tflm_hil.results.model import Results

HOSTILE = "a,b:c%0A\n::set-output name=x::y\r\n::error ::z\u202e\x1b[0m</title><script>\0"


def unescaped(text: str) -> str:
    """What GitHub makes of the value of a property or of a message."""
    for code, character in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, character)
    return text


def parsed(line: str) -> tuple[str, dict[str, str], str]:
    """The kind of an annotation, its properties and its message, read as GitHub's runner does."""
    found = re.fullmatch(r"::(\w+) ?(.*?)::(.*)", line)
    assert found, line
    pairs = (pair.partition("=") for pair in found[2].split(","))
    return found[1], {key: unescaped(value) for key, _, value in pairs}, unescaped(found[3])


def bad() -> Results:
    """A failed test, a budget that is missed, and two regressions of which one has a limit in a manifest."""
    reason = "flash: 20,352 bytes, 352 over the budget of 20,000 (models/gesture/model.toml:34)"
    return results(
        run(
            comparison=compared(slower(), larger()),
            verdict="fail",
            over_budget=["accuracy of the device: 90.00%, below the budget (models/gesture/model.toml:30)"],
            tests=[failed("3 of 60 windows differ\nand so on"), failed(reason, "tests/test_hil.py::test_footprint")],
        )
    )


def test_annotations_point_at_the_line_that_set_the_limit_and_else_at_the_test_or_the_baseline() -> None:
    found = [parsed(line) for line in annotation_lines(bad())]
    places = [(kind, where["title"], where["file"], where["line"]) for kind, where, _ in found]
    assert places == [
        ("error", "hil.test", "tests/test_hil.py", "1"),
        ("error", "hil.test", "models/gesture/model.toml", "34"),
        ("error", "hil.budget", "models/gesture/model.toml", "30"),
        ("error", "hil.regression", "baselines/gesture.json", "1"),
        ("error", "hil.regression", "models/gesture/model.toml", "12"),
    ]
    assert found[0][2] == "tests/test_hil.py::test_bad: 3 of 60 windows differ\nand so on"
    assert "firmware.flash_bytes +2,048 bytes (+10.1%)" in found[-1][2]
    assert "symbol table new, 2,048" in found[-1][2]


def test_a_baseline_that_is_missing_or_stale_is_an_error_where_it_fails_the_session() -> None:
    stale = ["baselines/old.json: nothing runs for this baseline; delete it"]
    made = results(
        run(verdict="fail", failures=[NO_BASELINE]), failures=stale, no_baseline=["gesture-int8-aot-stm32f4"]
    )
    lacking, old = (parsed(line) for line in annotation_lines(made))
    assert lacking[2].startswith("gesture-int8-aot-stm32f4: it has no baseline; make it with")
    assert old[1] == {"file": "baselines/old.json", "line": "1", "title": "hil.baseline"}
    text = render(made)
    assert "Fail: 1 run without the baseline that it must have, baselines/old.json: nothing runs" in text
    assert "- `gesture-int8-aot-stm32f4`: it has no baseline; make it with --hil-update-baseline\n" in text
    assert "- baselines/old.json: nothing runs for this baseline; delete it\n" in text


def test_files_are_named_as_seen_from_the_top_of_the_repository() -> None:
    made = bad()
    made.git["folder"] = "examples/wave"
    files = {parsed(line)[1]["file"] for line in annotation_lines(made)}
    assert files == {f"examples/wave/{name}" for name in _FILES}


_FILES = ("tests/test_hil.py", "models/gesture/model.toml", "baselines/gesture.json")


def test_a_figure_that_got_better_is_a_notice() -> None:
    (line,) = annotation_lines(results(run(comparison=compared(slower(verdict="improved")))))
    assert line.startswith("::notice ")
    assert "update the baseline" in line


def test_github_shows_ten_annotations_so_the_tenth_says_how_many_there_are() -> None:
    tests = [failed("bad", f"tests/test_hil.py::test_{number}") for number in range(30)]
    lines = list(annotation_lines(results(run(comparison=compared(slower()), verdict="fail", tests=tests))))
    assert len(lines) == 10
    assert lines[-1].endswith("::22 more: see the summary of the job")


@pytest.mark.parametrize("where", [HOSTILE, "/etc/passwd", "../../other", HOSTILE + ".toml:3", "a.toml:" + "9" * 99])
def test_no_name_ends_an_annotation_or_begins_another(where: str) -> None:
    hostile = results(
        run(
            where,
            compared(larger(where, source=where)),
            verdict="fail",
            over_budget=[where],
            disagreements=[where],
            tests=[failed(where, where)],
        )
    )
    lines = list(annotation_lines(hostile))
    assert len(lines) == 4
    for line in lines:
        assert line.isprintable()
        _, properties, message = parsed(line)
        assert "%0A" not in where or "c%0A" in message, "what looks like an escape is text"
        assert set(properties) <= {"file", "line", "title"}
        assert not properties.get("file", "").startswith(("/", ".."))


def test_the_summary_is_added_to_what_is_there_within_the_limit_of_a_step(tmp_path: Path) -> None:
    path = tmp_path / "summary"
    path.write_text("earlier\n")
    append_summary(bad(), path)
    assert path.read_text().startswith("earlier\n## \u274c Fail: 2 figures got worse, 2 tests failed, 1 budget missed")
    assert MARKER not in path.read_text()
    path.write_text("x" * (SUMMARY_LIMIT - 5_000))
    append_summary(results(*[run(f"m{number}", compared(slower())) for number in range(99)]), path)
    assert SUMMARY_LIMIT - 3_000 < path.stat().st_size <= SUMMARY_LIMIT
    path.write_text("x" * SUMMARY_LIMIT)
    append_summary(bad(), path)
    assert path.stat().st_size == SUMMARY_LIMIT


def test_a_summary_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(HilError, match="correct GITHUB_STEP_SUMMARY"):
        append_summary(bad(), tmp_path / "none" / "summary")


def test_gitlab_gets_issues_with_severity_place_and_a_fingerprint_that_stays() -> None:
    issues = json.loads(code_quality.render(bad()))
    assert {frozenset(issue) for issue in issues} == {
        frozenset({"description", "check_name", "fingerprint", "severity", "location"})
    }
    assert [issue["severity"] for issue in issues] == ["critical"] * 5
    assert issues[-1]["location"] == {"path": "models/gesture/model.toml", "lines": {"begin": 12}}
    later = bad()
    (again,) = later.runs
    assert again.comparison
    again.comparison.changes[1].now += 7
    again.tests[0].reason = "5 of 60 windows differ"
    prints = [issue["fingerprint"] for issue in issues]
    assert [issue["fingerprint"] for issue in json.loads(code_quality.render(later))] == prints
    assert len(set(prints)) == 5


def test_gitlab_gets_an_empty_list_if_all_is_well() -> None:
    assert json.loads(code_quality.render(results(run()))) == []


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (results(run()), "hil: Pass: 1 run"),
        (bad(), "hil: Fail: 2 figures got worse, 2 tests failed"),
        (results(run(), gaps=[HOSTILE]), "hil: Incomplete: a,b:c%0A ::set-output"),
    ],
)
def test_the_badge_is_an_image_with_a_title_for_people_who_do_not_see_it(made: Results, text: str) -> None:
    svg = ET.fromstring(badge.render(made))
    title = svg.findtext("{http://www.w3.org/2000/svg}title")
    assert title
    assert title[:20] == text[:20]
    assert (svg.get("role"), svg.get("aria-label")) == ("img", title)
    assert {element.tag.partition("}")[2] for element in svg.iter()} == {"svg", "title", "rect", "path", "g", "text"}
    assert len(title) <= len("hil: ") + badge.LONGEST
