"""Where a session ran: commit, host and tools, so that two results can be told apart."""

from __future__ import annotations

import platform
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

PACKAGES = ("tflm-hil", "tflite-micro", "numpy", "pytest")


def created() -> str:
    """The present moment in ISO 8601, UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def git(root: Path) -> dict[str, str | bool]:
    """Commit, branch and whether the tree was changed; empty outside of a repository or without git."""

    def ask(*arguments: str) -> str:
        finished = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True, timeout=10
        )
        return finished.stdout.strip()

    try:
        return {
            "commit": ask("rev-parse", "HEAD"),
            "branch": ask("rev-parse", "--abbrev-ref", "HEAD"),
            "dirty": bool(ask("status", "--porcelain")),
        }
    except (OSError, subprocess.SubprocessError):
        return {}


def host() -> dict[str, str]:
    """System, Python and the packages that results depend on."""
    facts = {"system": platform.platform(), "machine": platform.machine(), "python": platform.python_version()}
    for package in PACKAGES:
        try:
            facts[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            facts[package] = "not installed"
    return facts
