"""`hil history` as its users type it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from support.hil_command import hil
from support.made_history import history, session
from tflm_hil.results.history import place
from tflm_hil.results.history.record import record

RUN = "gesture-int8-aot-stm32f4"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with five sessions; the third is slower by 1,000 instructions."""
    (tmp_path / "hil.toml").write_text('schema = "hil-project/1"\n')
    for number in range(5):
        record(place(tmp_path), session(number + (1000 if number >= 2 else 0)))
    return tmp_path


def test_sessions_are_listed_the_newest_first(project: Path) -> None:
    done = hil("history", "--limit", "2", cwd=project)
    assert done.returncode == 0
    header, *rows = done.stdout.splitlines()
    assert header.split() == ["session", "when", "commit", "branch", "verdicts", "runs"]
    assert [row.split()[0] for row in rows] == ["@5", "@4"]
    assert rows[0].split()[2:] == ["000000000000", "main", "1", "pass", RUN]


def test_a_figure_is_plotted_run_by_run(project: Path) -> None:
    (row,) = hil("history", "latency.median", cwd=project).stdout.splitlines()[1:]
    assert row.split() == [RUN, "instructions", "5", "13,000", "14,004", "+7.7%", "▁▁███"]


def test_a_figure_of_one_run_is_plotted_commit_by_commit(project: Path) -> None:
    first, second, _, *rows = hil(
        "history", "latency.median", "--run", RUN, "--limit", "3", cwd=project
    ).stdout.splitlines()
    assert first == f"latency.median of {RUN} in instructions: 13,000 to 14,004"
    assert second.endswith(" ▁▁███")
    assert [row.split()[5] for row in rows] == ["14,002", "14,003", "14,004"]
    assert "+7.7%" in rows[0]
    assert rows[0].count("█") == rows[2].count("█") == 30


def test_json_has_the_points(project: Path) -> None:
    (series,) = json.loads(hil("history", "latency.median", "--json", cwd=project).stdout)
    assert series["unit"] == "instructions"
    assert [point["value"] for point in series["points"]] == [13000, 13001, 14002, 14003, 14004]
    listed = json.loads(hil("history", "--json", "--limit", "1", cwd=project).stdout)
    assert [(each["number"], each["verdicts"]) for each in listed] == [(5, {"pass": 1})]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["latency.mean"], "latency.mean: no such figure in the history; there are firmware.arena_bytes, "),
        (["--run", RUN], "--run: name a figure as well, such as `hil history latency.median --run ...`"),
        (["--branch", "dev"], "--branch=dev: no session of it in the history"),
        (["--database", "none.sqlite"], "none.sqlite: there is no history yet; a session such as `pytest --board="),
    ],
)
def test_what_is_not_there_is_one_line(project: Path, arguments: list[str], message: str) -> None:
    done = hil("history", *arguments, cwd=project)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"hil: {message}")
    assert done.stderr.count("\n") == 1


def test_it_does_without_what_takes_long_to_import(tmp_path: Path) -> None:
    """It is to answer within half a second, all in all."""
    database = history(tmp_path, 1)
    program = (
        "import sys; from tflm_hil.cli.app import app;"
        f"app(['history', 'latency.median', '--database', {str(database)!r}], standalone_mode=False);"
        "print(*sys.modules)"
    )
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert "tflm_hil.results.history.query" in loaded
    assert {"numpy", "tflm_hil.results.model", "jinja2", "pytest"}.isdisjoint(loaded)
