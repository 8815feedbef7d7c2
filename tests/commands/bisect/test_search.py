"""The search for the commit that moved a figure, in real repositories; what is measured is what the commit says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from support.made_results import run
from support.scratch_repository import Repository
from tflm_hil.checks.latency import Latency
from tflm_hil.commands.bisect.measure import Measured
from tflm_hil.commands.bisect.search import Found, search
from tflm_hil.commands.bisect.worktree import worktree
from tflm_hil.errors import HilError

METRIC = "latency.median"
BROKEN = "broken"


class History:
    """A repository whose commits have these medians as their subjects, or do not build."""

    def __init__(self, root: Path, medians: Sequence[int | str]) -> None:
        self.repository = Repository(root)
        self.commits = [self.repository.commit(str(median)) for median in medians]
        self.measured: list[str] = []
        self.told: list[str] = []

    def search(self, run_name: str | None = None, threshold: float | None = None) -> Found:
        with worktree(self.repository.root) as tree:

            def measure(commit: str) -> Measured:
                subject = tree.subject(commit)
                self.measured.append(subject)
                if subject == BROKEN:
                    return Measured(commit, [], "it does not build")
                median = int(subject)
                runs = [run(model, latency=Latency("instructions", 9, 1, median, median, median)) for model in "ab"]
                runs[1].latency = Latency("instructions", 9, 1, 5, 5, 5)
                return Measured(commit, runs, "measured")

            return search(
                tree, measure, METRIC, (self.commits[0], self.commits[-1]), run_name, threshold, self.told.append
            )


@pytest.mark.parametrize("moved", [1, 4, 7])
def test_the_commit_is_found_wherever_it_is(tmp_path: Path, moved: int) -> None:
    history = History(tmp_path, [100] * moved + [130] * (8 - moved))
    found = history.search()
    assert (found.commit, found.before, found.suspects) == (history.commits[moved], history.commits[moved - 1], [])
    assert found.run.comparison is not None
    (change,) = found.run.comparison.changes
    assert (change.before, change.now, change.verdict) == (100, 130, "regressed")
    assert len(history.measured) <= 2 + 3


def test_it_may_have_fallen_and_there_may_be_noise(tmp_path: Path) -> None:
    history = History(tmp_path, [200, 201, 199, 150, 151, 150])
    assert history.search().commit == history.commits[3]


def test_of_several_steps_the_threshold_names_the_one(tmp_path: Path) -> None:
    history = History(tmp_path, [100, 110, 110, 120, 120, 200])
    assert history.search().commit == history.commits[5]
    assert history.search(threshold=105).commit == history.commits[1]
    assert history.search(threshold=110).commit == history.commits[3], "110 is not past 110"


def test_commits_that_do_not_build_are_skipped(tmp_path: Path) -> None:
    history = History(tmp_path, [100, 100, BROKEN, BROKEN, 100, 130, 130])
    found = history.search()
    assert (found.commit, found.suspects) == (history.commits[5], [])


def test_commits_next_to_it_that_do_not_build_are_suspects(tmp_path: Path) -> None:
    history = History(tmp_path, [100, 100, BROKEN, BROKEN, 130, 130])
    found = history.search()
    assert found.commit == history.commits[4]
    assert set(found.suspects) == {history.commits[2], history.commits[3]}
    assert found.run.comparison is not None
    assert found.run.comparison.changes[0].before == 100
    assert any(line.startswith("skip") and "it does not build" in line for line in history.told)


def test_it_is_found_beyond_a_merge(tmp_path: Path) -> None:
    history = History(tmp_path, [100, 100])
    repository = history.repository
    repository.git("checkout", "-q", "-b", "side", history.commits[0])
    side = [repository.commit(median) for median in ("100", "130", "130")]
    repository.git("checkout", "-q", "main")
    repository.git("merge", "-q", "--no-ff", "-m", "130", "side")
    history.commits.append(repository.git("rev-parse", "HEAD"))
    assert history.search().commit == side[1]


def test_the_tree_and_the_search_of_the_user_stay_as_they_are(tmp_path: Path) -> None:
    history = History(tmp_path, [100, 100, 130, 130])
    repository = history.repository
    (tmp_path / "new.txt").write_text("not committed")
    repository.git("bisect", "start", "HEAD", "HEAD~3")
    questions = (
        *(("status", "--porcelain", "--branch"), ("rev-parse", "HEAD"), ("bisect", "log")),
        *(("for-each-ref",), ("worktree", "list"), ("stash", "list")),
    )
    before = [repository.git(*question) for question in questions]
    history.search()
    assert [repository.git(*question) for question in questions] == before
    with pytest.raises(KeyboardInterrupt), worktree(tmp_path) as tree:
        raise KeyboardInterrupt
    assert [repository.git(*question) for question in questions] == before
    assert not tree.root.exists()


@pytest.mark.parametrize(
    ("medians", "run_name", "threshold", "message"),
    [
        ([100, 130, 100], None, None, "latency.median is the same at both commits: nothing moved it"),
        ([100, 130], "b-int8-aot-stm32f4", None, "latency.median of b-int8-aot-stm32f4 is the same at both commits"),
        ([100, 130], "c", None, "--run=c: not measured at both commits; there are a-int8-aot-stm32f4, b-int8-aot"),
        ([100, 130], None, 130.0, "--threshold=130: .* is 100 at the good commit and 130 at the bad one"),
        ([100, 130], None, 90.0, "--threshold=90: .* it must lie between"),
        ([100, 100, BROKEN], None, None, r"\w{12} broken: cannot be measured: it does not build"),
    ],
)
def test_a_search_that_makes_no_sense_is_refused(
    tmp_path: Path, medians: list[int | str], run_name: str | None, threshold: float | None, message: str
) -> None:
    with pytest.raises(HilError, match=message):
        History(tmp_path, medians).search(run_name, threshold)


def test_ends_that_are_no_ancestors_of_each_other_are_refused(tmp_path: Path) -> None:
    history = History(tmp_path, [100, 130])
    history.commits.reverse()
    with pytest.raises(HilError, match=r"is no ancestor of --bad .*swap them"):
        history.search()


def test_without_a_repository_it_is_said(tmp_path: Path) -> None:
    with pytest.raises(HilError, match="is in no git repository"), worktree(tmp_path):
        pass
