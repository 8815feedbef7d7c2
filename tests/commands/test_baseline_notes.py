"""Baselines in git notes, with real repositories: clones of a bare remote."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.git import clone_of_a_remote, commit, git
from tflm_hil.commands.baseline_notes import REF, BaselineNotes, Noted
from tflm_hil.errors import HilError


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return clone_of_a_remote(tmp_path, monkeypatch)


def another(clone: Path, *options: str) -> Path:
    folder = clone.parent / f"another{len(list(clone.parent.iterdir()))}"
    git(clone.parent, "clone", "-q", *options, f"file://{clone.parent / 'remote'}", str(folder))
    return folder


def test_another_clone_gets_the_baselines_of_the_last_commit_before_its_own_that_has_any(clone: Path) -> None:
    notes = BaselineNotes(clone)
    first = git(clone, "rev-parse", "HEAD")
    notes.push("HEAD", {"a.json": "old\n"})
    second = commit(clone)
    notes.push("HEAD", {"a.json": '{"text": "\u00e4"}\n'})
    commit(clone)
    commit(clone)
    git(clone, "push", "-q", "origin", "main")
    there = BaselineNotes(another(clone))
    assert there.nearest("HEAD") == Noted(second, {"a.json": '{"text": "\u00e4"}\n'})
    # A commit that is built again is held against what came before it.
    assert there.nearest(second) == Noted(first, {"a.json": "old\n"})
    assert there.nearest(first) is None


def test_a_repository_without_notes_has_no_baselines(clone: Path) -> None:
    assert BaselineNotes(clone).nearest("HEAD") is None


def test_jobs_of_one_commit_add_to_its_note_even_if_another_is_faster(clone: Path) -> None:
    BaselineNotes(clone).push("HEAD", {"a.json": "1\n", "b.json": "1\n"})
    other = another(clone)
    # As this job pushes, another one does, once.
    hook = other / ".git" / "hooks" / "pre-push"
    hook.write_text(
        f"#!/bin/sh\nrm -f {hook}\ncd {clone}\n"
        f'git notes --ref={REF} add -f -m \'{{"schema": "hil-notes/1", "files": {{"c.json": "3"}}}}\' HEAD\n'
        f"git push -q origin {REF}\n"
    )
    hook.chmod(0o755)
    BaselineNotes(other).push("HEAD", {"b.json": "2\n"})
    assert not hook.exists()
    child = commit(clone)
    git(other, "fetch", "-q", str(clone), "main")
    found = BaselineNotes(other).nearest(child)
    assert found is not None
    assert found.files == {"b.json": "2\n", "c.json": "3"}


def test_a_job_has_no_name_and_pushes_all_the_same(clone: Path) -> None:
    there = another(clone)
    git(there, "config", "user.useConfigOnly", "true")
    BaselineNotes(there).push("HEAD", {"a.json": "1\n"})
    assert "tflm-hil" in git(clone.parent / "remote", "log", "-1", "--format=%an", REF)


def test_a_shallow_clone_says_that_its_history_is_missing(clone: Path) -> None:
    BaselineNotes(clone).push("HEAD", {"a.json": "1\n"})
    commit(clone)
    git(clone, "push", "-q", "origin", "main")
    with pytest.raises(HilError, match=r"a shallow clone.*fetch-depth: 0"):
        BaselineNotes(another(clone, "--depth=1")).nearest("HEAD")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("not JSON", r"holds no baselines .*git notes --ref=hil remove"),
        ('{"schema": "hil-notes/2", "files": {}}', "holds no baselines"),
        ('{"schema": "hil-notes/1", "files": {"../a.json": ""}}', r"'\.\./a\.json' is no name of a baseline"),
        ('{"schema": "hil-notes/1", "files": {".git": ""}}', "is no name of a baseline"),
    ],
)
def test_a_note_of_somebody_else_is_one_line(clone: Path, text: str, message: str) -> None:
    git(clone, "notes", f"--ref={REF}", "add", "-m", text, "HEAD")
    git(clone, "push", "-q", "origin", REF)
    commit(clone)
    with pytest.raises(HilError, match=message):
        BaselineNotes(clone).nearest("HEAD")


def test_what_git_refuses_is_one_line_with_its_reason(clone: Path, tmp_path: Path) -> None:
    notes = BaselineNotes(clone)
    with pytest.raises(HilError, match=r"^git rev-parse: fatal: Needed a single revision"):
        notes.push("nothing", {})
    with pytest.raises(HilError, match=r"^git ls-remote: .*'nowhere' does not appear to be a git repository"):
        BaselineNotes(clone, "nowhere").nearest("HEAD")
    with pytest.raises(HilError, match="not a git repository"):
        BaselineNotes(tmp_path / "remote" / "..").nearest("HEAD")
    refuses = tmp_path / "remote" / "hooks" / "update"
    refuses.write_text("#!/bin/sh\necho 'notes are for admins'\nexit 1\n")
    refuses.chmod(0o755)
    with pytest.raises(HilError, match=r"git push origin refs/notes/hil: .*notes are for admins.*right to write"):
        notes.push("HEAD", {"a.json": "1\n"})


def test_no_password_of_an_address_is_told(clone: Path) -> None:
    address = "http://somebody:secret@example.invalid/x.git"
    git(clone, "config", f"url.{clone.parent / 'remote'}.insteadOf", address)
    refuses = clone.parent / "remote" / "hooks" / "update"
    refuses.write_text("#!/bin/sh\nexit 1\n")
    refuses.chmod(0o755)
    with pytest.raises(HilError, match=r"^git push http://example\.invalid/x\.git refs/notes/hil: "):
        BaselineNotes(clone, address).push("HEAD", {"a.json": "1\n"})
