"""Where a session ran."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.git import clone_of_a_remote
from tflm_hil.results.environment import git


def test_git_tells_where_in_the_repository_the_project_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clone = clone_of_a_remote(tmp_path, monkeypatch)
    project = clone / "firmware" / "gesture"
    project.mkdir(parents=True)
    assert (git(clone)["folder"], git(project)["folder"]) == ("", "firmware/gesture")
    assert git(tmp_path / "remote" / "hooks") == {}
