"""`hil merge`: whatever the order of the files, and however often they are merged, the result is the same."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.hil_command import hil
from support.made_history import ask, history, session
from support.made_results import results, run
from tflm_hil.results.history.record import record
from tflm_hil.results.matrix import combine
from tflm_hil.results.model import BoardFigures, Case, Results, load, save

RUNS = "SELECT hex(run.digest) FROM run ORDER BY run.digest"


def job(number: int, models: Sequence[str], verdict: str = "pass", current: bool = True) -> Results:
    """The results of a job, which began in second `number` and ran on a board of its own number."""
    created = f"2026-01-01T00:00:{number:02}"
    tests = [Case(id="t", outcome="passed", ran=created, this_session=current)]
    runs = [run(model, verdict=verdict, tests=tests) for model in models]
    boards = [BoardFigures(f"board {number}", "main", 100, "")]
    return results(*runs, created=created, host={"system": f"Linux {number}"}, boards=boards)


JOBS = st.builds(
    job,
    st.integers(0, 3),
    st.sets(st.sampled_from("abc"), min_size=1).map(sorted),
    st.sampled_from(["pass", "fail", "incomplete"]),
    st.booleans(),
)


@given(jobs=st.lists(JOBS, min_size=1, max_size=5), data=st.data())
@settings(max_examples=40)
def test_runs_of_results_do_not_depend_on_the_order_and_merging_again_changes_nothing(
    jobs: list[Results], data: st.DataObject
) -> None:
    whole = combine(jobs)
    shuffled = data.draw(st.permutations(jobs))
    assert combine(shuffled).runs == whole.runs
    assert combine([*jobs, *jobs[:2]]) == (whole if len(jobs) > 1 else combine([*jobs, *jobs]))
    cut = data.draw(st.integers(0, len(jobs)))
    parts = [combine(part) for part in (jobs[:cut], jobs[cut:]) if part]
    assert combine(parts).runs == whole.runs
    assert combine([*parts, whole]).host == combine([whole, *jobs]).host


def test_a_run_of_two_jobs_is_said_and_the_last_counts(tmp_path: Path) -> None:
    save(job(1, ["a", "b"], "fail"), tmp_path / "1.json")
    (tmp_path / "second").mkdir()
    save(job(2, ["a"]), tmp_path / "second" / "results.json")
    done = hil("merge", tmp_path / "all.json", tmp_path / "1.json", tmp_path / "second")
    assert done.stdout.splitlines() == [
        "a-int8-aot-stm32f4 (qemu): pass of 2026-01-01T00:00:02 counts, the last, not fail of 2026-01-01T00:00:01",
        "2 runs of 2 files",
    ]
    assert {each.model: each.verdict for each in load(tmp_path / "all.json").runs} == {"a": "pass", "b": "fail"}


def test_of_two_that_were_tested_at_once_the_worse_counts() -> None:
    for jobs in ([job(1, "a"), job(1, "a", "fail")], [job(1, "a", "fail"), job(1, "a")]):
        assert [each.verdict for each in combine(jobs).runs] == ["fail"]


def test_histories_and_results_are_merged_into_a_history(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
    one, two = history(tmp_path / "one", 3), history(tmp_path / "two", 1)
    record(two, session(9, model="other"))
    save(session(10), tmp_path / "results.json")
    inputs = [one, two, tmp_path / "results.json"]
    done = hil("merge", tmp_path / "all.sqlite", *inputs)
    assert done.stdout == f"5 runs are new in {tmp_path / 'all.sqlite'}\n"
    assert hil("merge", tmp_path / "all.sqlite", *inputs).stdout.startswith("0 runs are new")
    hil("merge", tmp_path / "other.sqlite", *reversed(inputs))
    assert ask(tmp_path / "all.sqlite", RUNS) == ask(tmp_path / "other.sqlite", RUNS)
    figures = "SELECT name, unit, value FROM figure JOIN metric ON metric = id ORDER BY 1, 3"
    assert ask(tmp_path / "all.sqlite", figures) == ask(tmp_path / "other.sqlite", figures)
    parts = "SELECT hex(digest) FROM part ORDER BY digest"
    assert ask(tmp_path / "all.sqlite", parts) == ask(tmp_path / "other.sqlite", parts)


def test_a_history_is_what_its_results_files_are(tmp_path: Path) -> None:
    """A job may hand over either."""
    database = history(tmp_path, 2)
    for number in range(2):
        save(session(number), tmp_path / f"{number}.json")
    done = hil("merge", database, tmp_path / "0.json", tmp_path / "1.json")
    assert done.stdout.startswith("0 runs are new")


def test_merging_into_itself_rebuilds_what_is_damaged(tmp_path: Path) -> None:
    database = tmp_path / "history.sqlite"
    database.write_text("no database" * 999)
    done = hil("merge", database)
    assert "is kept as history.sqlite.corrupt-1" in done.stdout
    assert "0 runs are new" in hil("merge", database, database).stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["all.json", "history.sqlite"], "history.sqlite: a history goes into a history: hil merge HISTORY.sqlite"),
        (["all.json"], "all.json: name the results files that it is to be made of"),
        (["all.json", "none.json"], "none.json: No such file"),
        (["all.sqlite", "none.sqlite"], "none.sqlite: there is no history yet"),
        (["all.sqlite", "history.sqlite", "bad.sqlite"], "bad.sqlite: file is not a database"),
        (["all.sqlite", "history.sqlite", "bad.json"], "bad.json: not a results file"),
    ],
)
def test_what_cannot_be_merged_is_one_line_and_nothing_is(tmp_path: Path, arguments: list[str], message: str) -> None:
    history(tmp_path, 1)
    (tmp_path / "bad.sqlite").write_text("no database" * 99)
    (tmp_path / "bad.json").write_text("{}")
    done = hil("merge", *arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"hil: {message}")
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / arguments[0]).exists()
