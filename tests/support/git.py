"""Real git repositories: a clone of a bare remote, and nothing of this machine's own configuration."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest


def git(folder: Path, *arguments: str) -> str:
    """What git prints in `folder`."""
    done = subprocess.run(["git", "-C", folder, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def commit(folder: Path) -> str:
    """A new commit in `folder`."""
    git(folder, "commit", "-q", "--allow-empty", "-m", "change")
    return git(folder, "rev-parse", "HEAD")


def clone_of_a_remote(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone of `folder`/remote with a commit on main that is pushed, and whose user has a name.

    Whoever runs the tests has one as well, but other clones must not.
    """
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("HOME", str(folder))
    for variable in ("GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"):
        monkeypatch.delenv(variable, raising=False)
    git(folder, "init", "-q", "--bare", "-b", "main", "remote")
    clone = folder / "clone"
    git(folder, "clone", "-q", str(folder / "remote"), str(clone))
    for key, value in (("user.name", "somebody"), ("user.email", "some@body")):
        git(clone, "config", key, value)
    git(clone, "checkout", "-q", "-b", "main")
    commit(clone)
    git(clone, "push", "-q", "origin", "main")
    return clone
