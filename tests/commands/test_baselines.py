"""Baselines of a results file: which runs have one, and how they travel through git notes."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.git import clone_of_a_remote, commit
from support.hil_command import hil
from support.made_results import compared, failed, results, run, slower
from tflm_hil.checks.latency import Latency
from tflm_hil.results.baselines import read_baselines
from tflm_hil.results.model import Run, save


def latencies(folder: Path) -> dict[str, int]:
    """The median of each baseline in `folder`, by its model."""
    runs = [each.run for each in read_baselines(folder, folder).values()]
    return {each.model: each.latency.median for each in runs if each.latency}


def measured(model: str, median: int, **fields: object) -> Run:
    return run(model, latency=Latency("instructions", 10, median, median, median, median), **fields)  # type: ignore[arg-type]


def regressed(model: str, median: int, *more: str) -> Run:
    fell_behind = compared(slower())
    return measured(model, median, comparison=fell_behind, verdict="fail", failures=["latency.median", *more])


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return clone_of_a_remote(tmp_path, monkeypatch)


def test_figures_travel_from_one_commit_to_the_next(clone: Path) -> None:
    assert hil("baseline", "fetch", cwd=clone).stdout.startswith("no commit before HEAD has baselines in its notes")
    save(results(measured("a", 1), measured("b", 1), measured("c", 1)), clone / "reports" / "results.json")
    assert hil("baseline", "push", cwd=clone).stdout.startswith("3 baselines pushed to the notes of ")
    commit(clone)
    # One got better, one got worse and was merged all the same, and one is broken.
    broken = measured("c", 9, verdict="fail", failures=["t"], tests=[failed("bad", "t")])
    save(results(measured("a", 2), regressed("b", 2), broken), clone / "reports" / "results.json")
    done = hil("baseline", "push", cwd=clone)
    assert (done.returncode, done.stderr) == (0, "")
    assert "not for c-int8-aot-stm32f4, which did not pass" in done.stdout
    assert "as they were: c-int8-aot-stm32f4-qemu.json" in done.stdout
    commit(clone)
    assert hil("baseline", "fetch", cwd=clone).returncode == 0
    assert latencies(clone / ".hil" / "baselines") == {"a": 2, "b": 2, "c": 1}


def test_baselines_of_runs_that_are_no_more_are_not_left_in_the_folder(clone: Path) -> None:
    for model in ("a", "b"):
        save(results(measured(model, 1)), clone / "reports" / "results.json")
        hil("baseline", "push", cwd=clone)
        commit(clone)
        hil("baseline", "fetch", cwd=clone)
        assert latencies(clone / ".hil" / "baselines") == {model: 1}


def test_files_of_somebody_else_are_left_alone(clone: Path) -> None:
    (clone / "package.json").write_text("{}")
    done = hil("baseline", "fetch", "--folder", ".", cwd=clone)
    assert done.returncode == 1
    assert "package.json: is no baseline" in done.stderr
    assert (clone / "package.json").read_text() == "{}"


@pytest.mark.parametrize("more", ["tests/test_hil.py::test_bad", "accuracy drop: 3%"])
def test_what_failed_for_another_reason_as_well_is_no_baseline(tmp_path: Path, more: str) -> None:
    save(results(regressed("a", 1), regressed("b", 1, more)), tmp_path / "results.json")
    done = hil("baseline", "write", "--results", "results.json", "--folder", "base", cwd=tmp_path)
    assert done.stdout == "1 baseline written to base\nnot for b-int8-aot-stm32f4, which did not pass\n"
    assert latencies(tmp_path / "base") == {"a": 1}


def test_a_run_that_is_incomplete_is_no_baseline(tmp_path: Path) -> None:
    partly = [regressed("a", 1), measured("b", 1, verdict="incomplete")]
    partly[0].not_run = ["t"]
    save(results(*partly), tmp_path / "results.json")
    hil("baseline", "write", "--results", "results.json", "--folder", "base", cwd=tmp_path)
    assert latencies(tmp_path / "base") == {}
