"""Where a session ran: commit, host and tools, so that two results can be told apart."""

from __future__ import annotations

import hashlib
import platform
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from tflm_hil.errors import HilError
from tflm_hil.git import run as run_git

PACKAGES = ("tflm-hil", "tflite-micro", "numpy", "pytest")


def created() -> str:
    """The present moment in ISO 8601, UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def git(root: Path) -> dict[str, str | bool]:
    """Commit, branch and whether the tree was changed; empty outside of a repository or without git.

    `folder` is `root` as seen from the top of the repository, "" if it is the top. `changes` is a
    digest of the local changes, so that two states of one commit can be told apart.
    """

    def ask(*arguments: str) -> str:
        finished = run_git(root, *arguments, timeout_s=10)
        finished.check_returncode()
        return finished.stdout.strip()

    try:
        status = ask("status", "--porcelain")
        facts: dict[str, str | bool] = {
            "commit": ask("rev-parse", "HEAD"),
            "branch": ask("rev-parse", "--abbrev-ref", "HEAD"),
            "folder": ask("rev-parse", "--show-prefix").removesuffix("/"),
            "dirty": bool(status),
        }
        if status:
            changes = status + ask("diff", "--no-ext-diff", "--binary", "HEAD")
            facts["changes"] = hashlib.sha256(changes.encode()).hexdigest()[:16]
        return facts
    except (HilError, subprocess.SubprocessError):
        return {}


def code(git: dict[str, str | bool]) -> str | None:
    """The state of the sources in one word, None if it is not known."""
    return "+".join(str(git[key]) for key in ("commit", "changes") if key in git) or None


def host() -> dict[str, str]:
    """System, Python and the packages that results depend on."""
    facts = {"system": platform.platform(), "machine": platform.machine(), "python": platform.python_version()}
    for package in PACKAGES:
        try:
            facts[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            facts[package] = "not installed"
    return facts
