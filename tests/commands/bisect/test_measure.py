"""`hil bisect` measures with real sessions of pytest, in a work tree of its own, and asks the history first."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from support.hil_command import ROOT, hil
from support.made_history import ask
from support.scratch_repository import Repository
from tflm_hil.commands.bisect.measure import Measurer
from tflm_hil.commands.bisect.worktree import worktree
from tflm_hil.results.history import place
from tflm_hil.results.model import Run

# The stack of a network is what the file says; without the file, nothing can be measured.
SUITE = """
from pathlib import Path
from support import fake_session

def test_size(firmware, record):
    record.footprint(500, int(Path(__file__).with_name("stack.txt").read_text()))
"""
ARGUMENTS = ("--board=emulated", "-p", "hil", "-p", "support.fake_session", "-k", "int8")
METRIC = "firmware.stack_peak_bytes"
TOOLCHAIN = {"arm-none-eabi-gcc": "12.2"}
"""That of the fake session."""


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    for variable in ("HIL_BOARD", "HIL_MODEL", "HIL_ENGINE", "HIL_TARGET", "HIL_EMULATOR", "HIL_REPORT"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "tests"))
    made = Repository(tmp_path / "repository")
    project = made.root / "project"
    project.mkdir()
    (project / "hil.toml").write_text('schema = "hil-project/1"\n')
    (project / "pytest.ini").write_text("[pytest]\n")
    (project / "test_suite.py").write_text(SUITE)
    (made.root / ".gitignore").write_text(".hil/\n.pytest_cache/\n__pycache__/\nfake-*.elf\n")
    return made


def commit(repository: Repository, stack: str) -> str:
    (repository.root / "project" / "stack.txt").write_text(stack)
    return repository.commit(f"a stack of {stack}")


def measured(repository: Repository, toolchain: dict[str, str] = TOOLCHAIN) -> Callable[[str], tuple[str, list[Run]]]:
    """Measures a commit, and returns how, and the runs."""

    def measure(commit: str) -> tuple[str, list[Run]]:
        with worktree(repository.root) as tree:
            project = Path("project")
            database = place(repository.root / project)
            measurer = Measurer(tree, project, database, METRIC, ARGUMENTS, toolchain, os.environ, lambda _: None)
            found = measurer.measure(commit)
            assert measurer.lines == []
            return found.how, list(found.runs)

    return measure


def test_a_commit_is_measured_once(repository: Repository) -> None:
    first, last = commit(repository, "300"), commit(repository, "400")
    (repository.root / "project" / "stack.txt").write_text("what the user is writing")
    measure = measured(repository)
    how, (run,) = measure(first)
    assert run.firmware is not None
    assert (how, run.name, run.firmware.stack_peak_bytes) == ("measured", "m-int8-aot-stm32f4", 300)
    how, (run,) = measure(first)
    assert run.firmware is not None
    assert (how, run.firmware.stack_peak_bytes) == ("history", 300)
    database = place(repository.root / "project")
    assert ask(database, "SELECT commit_hash, dirty FROM session") == [first, 0]
    assert last not in ask(database, "SELECT commit_hash FROM session")


@pytest.mark.nightly  # two sessions of pytest
def test_another_toolchain_makes_other_figures(repository: Repository) -> None:
    only = commit(repository, "300")
    assert measured(repository)(only)[0] == "measured"
    assert measured(repository, {"arm-none-eabi-gcc": "13"})(only)[0] == "measured"


@pytest.mark.nightly  # a session of pytest
def test_a_commit_that_cannot_be_measured_says_why(repository: Repository) -> None:
    how, runs = measured(repository)(commit(repository, "no number"))
    assert runs == []
    assert "invalid literal for int() with base 10: 'no number'" in how


@pytest.mark.nightly  # ten sessions of pytest
def test_the_command_says_the_commit_the_figures_and_leaves_the_user_s_tree_alone(repository: Repository) -> None:
    commits = [commit(repository, stack) for stack in ("300", "301", "no number", "300", "600", "601", "602")]
    project = repository.root / "project"
    (project / "stack.txt").write_text("what the user is writing")
    status = repository.git("status", "--porcelain")
    done = hil("bisect", METRIC, "--good", commits[0], "--", *ARGUMENTS, cwd=project)
    assert done.returncode == 0, done.stderr
    assert f"{commits[4]} moved {METRIC}: a stack of 600" in done.stdout
    assert f"against {commits[3][:12]} a stack of 300: 1 regressed" in done.stdout
    assert "300" in done.stdout
    assert repository.git("status", "--porcelain") == status
    assert repository.git("worktree", "list").count("\n") == 0


@pytest.mark.nightly  # it waits for a session of pytest
def test_ctrl_c_ends_pytest_and_takes_the_work_tree_away(repository: Repository) -> None:
    suite = "import time\ndef test_slow(firmware):\n    open('began', 'w').close()\n    time.sleep(600)\n"
    (repository.root / "project" / "test_suite.py").write_text(suite)
    first, _ = commit(repository, "300"), commit(repository, "400")
    command = [sys.executable, "-c", "from tflm_hil.cli import main; main()", "bisect", METRIC, "--good", first, "--"]
    process = subprocess.Popen(
        [*command, *ARGUMENTS], cwd=repository.root / "project", stderr=subprocess.PIPE, text=True
    )
    until = time.monotonic() + 60
    tree = Path()
    while time.monotonic() < until:
        listed = repository.git("worktree", "list", "--porcelain").split("worktree ")[2:]
        if listed and ((tree := Path(listed[0].splitlines()[0])) / "project" / "began").exists():
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=60)[1].splitlines()[-1] == "hil: interrupted"
    assert process.returncode == 130
    assert not tree.exists()
    assert repository.git("worktree", "list").count("\n") == 0
