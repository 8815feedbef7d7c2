"""The scripts of the action, run by bash as a job runs them."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from support.git import clone_of_a_remote, commit
from support.github_api import serving
from support.hil_command import hil
from support.made_results import compared, results, run, slower
from tflm_hil.results.model import load, save

ACTION = Path(__file__).parents[2] / ".ci" / "action"


class Job:
    """A job of GitHub Actions in a folder: its runner's files, and the harness installed where `setup` puts it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "project"
        self.temp = folder / "temp"
        self.output, self.summary = folder / "output", folder / "summary"
        binaries = self.temp / "tflm-hil" / "bin"
        binaries.mkdir(parents=True)
        self.folder.mkdir()
        for name, arguments in (("python", '"$@"'), ("hil", "-c 'from tflm_hil.cli import main; main()' \"$@\"")):
            (binaries / name).write_text(f"#!/bin/sh\nexec {sys.executable} {arguments}\n")
            (binaries / name).chmod(0o755)

    def run(self, script: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {
            "RUNNER_TEMP": str(self.temp),
            "GITHUB_OUTPUT": str(self.output),
            "GITHUB_STEP_SUMMARY": str(self.summary),
            "GITHUB_ACTION_PATH": str(ACTION.parents[1]),
            **variables,
        }
        return subprocess.run(
            ["bash", ACTION / script], cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )

    @property
    def outputs(self) -> dict[str, str]:
        return dict(line.split("=", 1) for line in self.output.read_text().splitlines())


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(tmp_path)


TESTS = """
import os, sys
def test_one(): assert "HIL_BASELINE" not in os.environ
def test_two(): assert os.environ["HIL_BASELINE"] == "x y"
"""


@pytest.mark.parametrize(
    ("arguments", "baseline", "status"),
    [
        ("-q -p no:cacheprovider -k 'one or two' -W 'error::UserWarning'", "x y", "1"),
        ("-k '$(touch injected)' `touch injected` ; touch injected", "", "4"),
    ],
)
def test_the_status_of_pytest_is_kept_for_the_last_step(job: Job, arguments: str, baseline: str, status: str) -> None:
    (job.folder / "test_it.py").write_text(TESTS)
    done = job.run("run", HIL_ARGUMENTS=arguments, HIL_RESULTS="", HIL_BASELINE=baseline)
    assert (done.returncode, job.outputs) == (0, {"status": status, "reports": str(job.folder / "reports")})
    assert not (job.folder / "injected").exists()


@pytest.mark.nightly  # starts the harness several times; its parts are tested without
def test_results_of_other_jobs_are_drawn_instead(job: Job) -> None:
    for target in ("stm32f4", "nrf52"):
        worse = results(run(target=target, comparison=compared(slower()), verdict="fail"))
        save(worse, job.folder / "jobs" / f"hil {target}" / "results.json")
    done = job.run("run", HIL_ARGUMENTS="", HIL_RESULTS="jobs/*/results.json", HIL_BASELINE="")
    assert (done.returncode, done.stderr) == (0, "")
    assert job.outputs["status"] == "0"
    assert len(load(Path(job.outputs["reports"]) / "results.json").runs) == 2
    assert job.summary.read_text().startswith("## \u274c Fail: 2 figures got worse")


def test_results_that_are_not_there_or_are_none_are_one_line(job: Job) -> None:
    done = job.run("run", HIL_ARGUMENTS="", HIL_RESULTS="jobs/*/results.json", HIL_BASELINE="")
    assert (done.returncode, done.stdout) == (1, "::error::results: no file is called jobs/*/results.json\n")
    (job.folder / "results.json").write_text("{}")
    done = job.run("run", HIL_ARGUMENTS="", HIL_RESULTS="results.json", HIL_BASELINE="")
    assert done.returncode == 1
    assert done.stderr.startswith("hil: results.json: not a results file")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.nightly  # starts the harness several times; its parts are tested without
def test_the_baseline_is_that_of_the_last_commit_with_notes(
    job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone = clone_of_a_remote(tmp_path, monkeypatch)
    save(results(run("a")), clone / "reports" / "results.json")
    assert hil("baseline", "push", cwd=clone).returncode == 0
    commit(clone)
    job.folder = clone
    done = job.run("baseline", HIL_SOURCE="notes")
    assert (done.returncode, done.stderr) == (0, "")
    assert [path.name for path in Path(job.outputs["folder"]).iterdir()] == ["a-int8-aot-stm32f4-qemu.json"]


@pytest.mark.nightly  # starts the harness several times; its parts are tested without
def test_the_baseline_is_made_of_the_artifact_of_the_base_branch_if_there_is_one(job: Job, tmp_path: Path) -> None:
    save(results(run("a")), tmp_path / "results.json")
    with serving() as github:
        asked = {"HIL_SOURCE": "artifact", "HIL_ARTIFACT": "report", "HIL_BRANCH": "main", **github.environment()}
        done = job.run("baseline", **asked)
        assert (done.returncode, "nothing is compared" in done.stdout) == (0, True)
        assert list(Path(job.outputs["folder"]).iterdir()) == []
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.write(tmp_path / "results.json", "results.json")
        github.add_artifact("report", "main", buffer.getvalue())
        done = job.run("baseline", **asked)
    assert (done.returncode, done.stderr) == (0, "")
    assert [path.name for path in Path(job.outputs["folder"]).iterdir()] == ["a-int8-aot-stm32f4-qemu.json"]


@pytest.mark.parametrize(
    ("source", "status", "output"), [("folder", 0, ""), ("none", 0, "folder=none\n"), ("notez", 1, "")]
)
def test_a_committed_baseline_needs_no_word_and_a_wrong_word_is_one_line(
    job: Job, source: str, status: int, output: str
) -> None:
    job.output.touch()
    done = job.run("baseline", HIL_SOURCE=source)
    assert (done.returncode, done.stderr, job.output.read_text()) == (status, "", output)
    assert (done.stdout == "::error::baseline: notez: choose folder, notes, artifact or none\n") is bool(status)


def fake(job: Job, name: str, text: str) -> str:
    """A program of the job's machine; the PATH with which it is the only one of its name."""
    folder = job.temp / "programs"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)
    return f"{folder}:/usr/bin:/bin"


@pytest.mark.parametrize(("drawn", "packages"), [("", True), ("jobs/*/results.json", False)])
def test_only_what_is_missing_is_installed_and_no_compiler_to_draw(job: Job, drawn: str, packages: bool) -> None:
    """apt-get and python3 are stand-ins, because nothing may be installed on this machine."""
    log = job.temp / "log"
    for name in ("apt-get", "python3", "sudo"):
        path = fake(job, name, f'echo {name} "$@" >>{log}')
    tools = [name for name in ("bash", "tr", "id") if Path("/usr/bin", name).exists()]
    for name in tools:
        (job.temp / "programs" / name).symlink_to(f"/usr/bin/{name}")
    python = fake(job, "python", "").partition(":")[0] + "/python"
    (job.temp / "tflm-hil" / "bin" / "python").write_text(f'#!/bin/sh\necho pip "$@" >>{log}\n')
    done = job.run("setup", HIL_PACKAGE="", HIL_RESULTS=drawn, PATH=path.partition(":")[0])
    assert (done.returncode, Path(python).exists()) == (0, True), done.stderr
    said = log.read_text()
    assert (
        "install -qy --no-install-recommends gcc-arm-none-eabi libnewlib-arm-none-eabi qemu-system-arm" in said
    ) is (packages)
    assert said.splitlines()[-1].endswith(f"install -q --disable-pip-version-check {ACTION.parents[1]}")


@pytest.mark.nightly  # a virtual environment takes seconds
def test_the_harness_is_installed_where_the_other_steps_look_for_it(job: Job, tmp_path: Path) -> None:
    wheel = tmp_path / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        archive.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("tiny-1.0.dist-info/RECORD", "")
        archive.writestr("tiny.py", "print('installed')")
    shutil.rmtree(job.temp / "tflm-hil")
    done = job.run("setup", HIL_PACKAGE=str(wheel), HIL_RESULTS="jobs/*/results.json")
    assert done.returncode == 0, done.stderr
    python = job.temp / "tflm-hil" / "bin" / "python"
    assert subprocess.check_output([python, "-c", "import tiny"], text=True) == "installed\n"
