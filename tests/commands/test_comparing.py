"""`hil compare`: sessions, commits, results files and baselines against each other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.hil_command import hil
from support.made_history import session
from support.made_results import results, run
from support.scratch_repository import Repository
from tflm_hil.checks.latency import Latency
from tflm_hil.results.groups import FirmwareFigures, SymbolFigures
from tflm_hil.results.history import place
from tflm_hil.results.history.record import record
from tflm_hil.results.model import save


def firmware(size: int) -> FirmwareFigures:
    symbols = [SymbolFigures("table", ".rodata", size, "lib.a:table.o"), SymbolFigures("main", ".text", 100, "main.o")]
    figures = FirmwareFigures("", 20_000 + size, 700, 2_000, 232, 5_000, {".text": 100, ".rodata": size}, symbols)
    figures.flash_sections = [".text", ".rodata"]
    return figures


class Project:
    """A repository with a history of three commits: the table of the last is larger, and the inference slower."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.repository = Repository(root)
        (root / "hil.toml").write_text('schema = "hil-project/1"\n')
        self.commits = [self.repository.commit(f"commit {number}") for number in range(3)]
        for number, (commit, size) in enumerate(zip(self.commits, (500, 500, 2548), strict=True)):
            record(place(root), session(number, commit=commit, firmware=firmware(size)))

    def compare(self, *arguments: str) -> Any:
        return hil("compare", *arguments, cwd=self.root)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "project")


@pytest.mark.parametrize(("before", "now"), [("HEAD~1", "main"), ("@2", "@3"), ("1", "2")])
def test_commits_and_sessions_are_compared_with_the_causes(project: Project, before: str, now: str) -> None:
    sides = [project.commits[int(side)][:9] if side.isdigit() else side for side in (before, now)]
    done = project.compare(*sides)
    assert done.returncode == 8
    assert f"gesture-int8-aot-stm32f4 (qemu), against {sides[0]}" in done.stdout
    (flash,) = [line for line in done.stdout.splitlines() if "firmware.flash_bytes" in line and "22,548" in line]
    assert "20,500" in flash
    assert "REGRESSED" in flash
    assert "symbol table: 500 -> 2,548 (+2,048)" in flash
    assert "latency.median" in done.stdout


def test_nothing_that_got_worse_is_status_0(project: Project) -> None:
    for before, now, said in (("@3", "@2", "improved"), ("main", "main", "no figure changed")):
        done = project.compare(before, now)
        assert (done.returncode, said in done.stdout) == (0, True)


def test_the_limits_are_those_of_the_command_and_of_the_manifest(project: Project) -> None:
    assert project.compare("@1", "@2").returncode == 8, "one instruction more"
    assert project.compare("@1", "@2", "--fail-on", "latency.median>+1%").returncode == 0
    done = project.compare("@1", "@2", "--fail-on", "latency.mean>+1%")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "--fail-on: 'latency.mean>+1%' names no metric" in done.stderr


def test_files_are_compared_outside_of_any_project(tmp_path: Path) -> None:
    save(results(run(), run("gone")), tmp_path / "old.json")
    (tmp_path / "new").mkdir()
    save(results(run(), run("fresh")), tmp_path / "new" / "results.json")
    done = hil("compare", "old.json", "new", cwd=tmp_path)
    assert done.returncode == 0
    assert "only in old.json: gone-int8-aot-stm32f4" in done.stdout
    assert "only in new: fresh-int8-aot-stm32f4" in done.stdout


def test_json_has_everything(project: Project) -> None:
    content = json.loads(project.compare("@2", "@3", "--json").stdout)
    (only,) = content["runs"]
    changes = {change["metric"]: change for change in only["comparison"]["changes"]}
    assert changes["firmware.flash_bytes"]["verdict"] == "regressed"
    assert any(cause["name"] == "table" for cause in changes["firmware.flash_bytes"]["causes"])
    assert only["comparison"]["base"]["commit"] == project.commits[1]


def test_what_was_measured_with_local_changes_is_said_and_only_used_where_there_is_nothing_else(
    project: Project,
) -> None:
    commit = project.repository.commit("another")
    latency = Latency("instructions", 10, 1, 99_999, 99_999, 99_999)
    record(place(project.root), session(7, commit=commit, dirty=True, latency=latency))
    assert "HEAD" in (done := project.compare("@1", "HEAD")).stdout
    assert "measured with local changes" in done.stdout
    assert "99,999" in done.stdout
    record(place(project.root), session(6, commit=commit))
    done = project.compare("@1", "HEAD")
    assert "measured with local changes" not in done.stdout
    assert "99,999" not in done.stdout


def test_an_earlier_commit_that_git_no_longer_has_is_found_in_the_history(project: Project) -> None:
    record(place(project.root), session(9, commit="abcdef12" * 5))
    assert "against abcdef12, session @4" in project.compare("abcdef12", "@1").stdout


@pytest.mark.parametrize(
    ("sides", "message"),
    [
        (("@1", "@99"), "@99: no such session in the history; `hil history` lists them"),
        (("@1", "nothing"), "nothing: no file, no session of the history such as @12, and no commit that git knows"),
        (("@1", "HEAD"), "HEAD: nothing of commit "),
        (("@1", "bad.json"), "bad.json: not a results file"),
        (("@1", "empty"), "empty: neither a results.json nor baselines are there"),
        (("@1", "other.json"), "@1 and other.json have no run in common: gesture-int8-aot-stm32f4 and x-int8-aot"),
    ],
)
def test_what_was_not_measured_is_one_line(project: Project, sides: tuple[str, str], message: str) -> None:
    project.repository.commit("not measured")
    (project.root / "bad.json").write_text("{}")
    (project.root / "empty").mkdir()
    save(results(run("x")), project.root / "other.json")
    done = project.compare(*sides)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"hil: {message}")
    assert done.stderr.count("\n") == 1
