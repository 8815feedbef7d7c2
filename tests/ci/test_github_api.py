"""What the action asks of GitHub, with a server that answers as GitHub does."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.github_api import GitHub, serving

SCRIPT = Path(__file__).parents[2] / ".ci" / "action" / "github.py"
MARKER = "<!-- tflm-hil -->\n"


@pytest.fixture
def github() -> Iterator[GitHub]:
    with serving() as server:
        yield server


def run(github: GitHub, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    event = folder / "event.json"
    event.write_text('{"pull_request": {"number": 7}}')
    environment = os.environ | github.environment() | {"GITHUB_EVENT_PATH": str(event)}
    return subprocess.run(
        [sys.executable, "-I", SCRIPT, *arguments], env=environment, capture_output=True, text=True, check=False
    )


def commented(github: GitHub, folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    (folder / "text.md").write_text(MARKER + text, encoding="utf-8")
    return run(github, folder, "comment", str(folder / "text.md"))


def archive(name: str = "results.json", content: str = "{}") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr(name, content)
    return buffer.getvalue()


def test_a_pull_request_gets_one_comment_which_later_runs_update(github: GitHub, tmp_path: Path) -> None:
    for number in range(120):  # more than a page
        github.add_comment(f"something {number}", "somebody", "User")
    github.add_comment(MARKER + "not ours", "somebody", "User")
    for text in ("first \U0001f600", "second"):
        done = commented(github, tmp_path, text)
        assert (done.returncode, done.stderr) == (0, "")
        assert [each["body"] for each in github.comments[121:]] == [MARKER + text]
    assert github.comments[120]["body"] == MARKER + "not ours"


def test_the_comment_of_the_tokens_own_user_is_updated(github: GitHub, tmp_path: Path) -> None:
    github.login = "robot"
    github.add_comment(MARKER + "old", "robot", "User")
    commented(github, tmp_path, "new")
    assert [each["body"] for each in github.comments] == [MARKER + "new"]


def test_a_token_that_may_not_comment_is_a_warning(github: GitHub, tmp_path: Path) -> None:
    github.refuses = 403
    done = commented(github, tmp_path, "text")
    assert done.returncode == 0
    (line,) = done.stdout.splitlines()
    assert line.startswith("::warning title=tflm-hil::comment: GitHub answered 403 ")
    assert "pull-requests: write" in line


def test_the_newest_artifact_of_the_branch_is_the_baseline_and_the_token_stays_here(
    github: GitHub, tmp_path: Path
) -> None:
    github.add_artifact("hil report", "main", archive(content="old"))
    github.add_artifact("hil report", "main", archive(content="new"))
    github.add_artifact("hil report", "topic", archive(content="other branch"))
    github.add_artifact("other", "main", archive(content="other name"))
    github.add_artifact("hil report", "main", archive(content="expired"), expired=True)
    fork = {"head_branch": "main", "repository_id": 1, "head_repository_id": 2}
    github.add_artifact("hil report", "main", archive(content="of a fork"), workflow_run=fork)
    github.add_artifact("hil report", "main", archive(content="of nothing"), workflow_run=None)
    done = run(github, tmp_path, "artifact", "hil report", "main", str(tmp_path / "found" / "results.json"))
    assert (done.returncode, done.stdout) == (0, f"baseline: commit {'b' * 40} of main\n")
    assert (tmp_path / "found" / "results.json").read_text() == "new"
    assert not github.leaked


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no run on main has uploaded an artifact hil-report yet, so nothing is compared"),
        (b"no archive", "artifact: BadZipFile: "),
        (archive("other.json"), "artifact: KeyError: "),
    ],
)
def test_an_artifact_that_is_missing_or_damaged_is_a_warning(
    github: GitHub, tmp_path: Path, content: bytes | None, message: str
) -> None:
    if content is not None:
        github.add_artifact("hil-report", "main", content)
    done = run(github, tmp_path, "artifact", "hil-report", "main", str(tmp_path / "results.json"))
    assert done.returncode == 0
    (line,) = done.stdout.splitlines()
    assert line.startswith(f"::warning title=tflm-hil::{message}")
    assert not (tmp_path / "results.json").exists()


def test_a_server_that_is_gone_is_a_warning_and_wrong_arguments_are_not(github: GitHub, tmp_path: Path) -> None:
    github.url = "http://127.0.0.1:9"
    done = commented(github, tmp_path, "text")
    assert (done.returncode, done.stdout.startswith("::warning title=tflm-hil::comment: URLError")) == (0, True)
    assert run(github, tmp_path, "comments").returncode == 2
