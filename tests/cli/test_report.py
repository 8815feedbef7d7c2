"""`hil report`, on files that jobs left."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.hil_command import hil
from support.made_results import compared, results, run, slower
from tflm_hil.results.model import load, save


def test_the_results_of_many_jobs_are_drawn_as_one(tmp_path: Path) -> None:
    save(results(run(target="stm32f4")), tmp_path / "a.json")
    save(results(run(target="nrf52", comparison=compared(slower()), verdict="fail")), tmp_path / "b.json")
    done = hil("report", "a.json", "b.json", "--out", "all", cwd=tmp_path)
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "Fail: 1 figure got worse")
    drawn = {"results.json", "report.md", "report.html", "pull_request.md", "code-quality.json", "badge.svg"}
    assert {path.name for path in (tmp_path / "all").iterdir()} == drawn
    assert [each.target for each in load(tmp_path / "all" / "results.json").runs] == ["nrf52", "stm32f4"]


def test_one_file_is_drawn_again_beside_itself_and_stays_as_it_is(tmp_path: Path) -> None:
    save(results(run()), tmp_path / "results.json")
    before = (tmp_path / "results.json").read_bytes()
    assert hil("report", "results.json", cwd=tmp_path).returncode == 0
    assert (tmp_path / "results.json").read_bytes() == before
    assert "Pass: 1 run" in (tmp_path / "pull_request.md").read_text()


def test_several_files_need_a_folder(tmp_path: Path) -> None:
    done = hil("report", "a.json", "b.json", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "hil: of several files, the reports need a folder of their own: name it with --out\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a results file"),
        (b'{"schema": "hil-results/1", "runs": [', "not a results file"),
        (b'{"schema": "hil-results/1", "runs": 3}', "not a results file"),
        (b'{"schema": "hil-results/2", "runs": 3}', "schema 'hil-results/2', expected 'hil-results/1'"),
        (b'["schema"]', "not a results file"),
        (b"\xff\xfe\x00", "not a results file"),
        (b"[" * 100_000, "not a results file"),
        (None, "No such file"),
    ],
)
def test_what_is_no_results_file_is_one_line_and_nothing_is_drawn(
    tmp_path: Path, content: bytes | None, message: str
) -> None:
    save(results(run()), tmp_path / "good.json")
    if content is not None:
        (tmp_path / "bad.json").write_bytes(content)
    done = hil("report", "bad.json", "good.json", "gone.json", "--out", "all", cwd=tmp_path)
    assert done.returncode == 1
    bad, gone = done.stderr.splitlines()
    assert bad.startswith("hil: bad.json: ")
    assert message in bad
    assert gone.startswith("hil: gone.json: No such file")
    assert not (tmp_path / "all").exists()
