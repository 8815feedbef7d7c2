"""A work tree of the user's repository that is ours alone, and the search of `git bisect` in it.

Commits, and the state of the search, are those of this tree: the user's files, index, branch, and a search of their own
stay as they are.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from tflm_hil import git
from tflm_hil.errors import HilError

_FOUND = re.compile(r"^([0-9a-f]{40,64}) is the first bad commit$", re.MULTILINE)
_SUSPECT = re.compile(r"^[0-9a-f]{40,64}$", re.MULTILINE)
_HEAD = "BISECT_HEAD"
_OF_HOOKS = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")

Mark = Literal["good", "bad", "skip"]


class Worktree:
    """`root` is the work tree, and `repository` that of the user, both from the top."""

    def __init__(self, repository: Path, root: Path) -> None:
        self.repository = repository
        self.root = root

    def start(self, good: str, bad: str) -> None:
        """Begin the search. Raises HilError if `good` is no ancestor of `bad`."""
        if self._git("merge-base", "--is-ancestor", good, bad, check=False).returncode:
            raise HilError(
                f"--good {good[:12]} is no ancestor of --bad {bad[:12]}: swap them, or take their merge base"
            )
        self._git("bisect", "start", "--no-checkout", bad, good)

    def mark(self, mark: Mark, commit: str) -> list[str]:
        """Judge `commit`. Return the first bad one when it is found, all that may be it if they could not be judged."""
        said = self._git("bisect", mark, commit, check=False)
        if found := _FOUND.search(said.stdout):
            return [found[1]]
        if said.returncode == 2:  # Only commits are left that were skipped.
            return _SUSPECT.findall(said.stdout)
        if said.returncode:
            raise HilError(f"git bisect {mark} {commit[:12]}: {_first(said)}")
        return []

    def next(self) -> str:
        """The commit that is to be judged."""
        return self._git("rev-parse", _HEAD).stdout.strip()

    def check_out(self, commit: str) -> None:
        """Have the files of `commit`; what builds have made of others stays."""
        self._git("checkout", "--quiet", "--force", "--detach", commit)

    def subject(self, commit: str) -> str:
        """The first line of its message."""
        return self._git("show", "--no-patch", "--format=%s", commit).stdout.strip()

    def parent(self, commit: str) -> str:
        """Its first parent."""
        return self._git("rev-parse", f"{commit}^").stdout.strip()

    def _git(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return _git(self.root, *arguments, check=check)


@contextmanager
def worktree(root: Path) -> Iterator[Worktree]:
    """Make a work tree of the repository that `root` lies in, and take it away at the end, Ctrl-C included.

    Raises HilError if `root` is in no repository.
    """
    try:
        top = Path(_git(root, "rev-parse", "--show-toplevel").stdout.strip())
    except HilError:
        raise HilError(f"{root}: is in no git repository, and hil bisect looks for a commit") from None
    folder = tempfile.mkdtemp(prefix="hil-bisect-")
    try:
        tree = Path(folder) / top.name
        _git(top, "worktree", "add", "--quiet", "--detach", "--no-checkout", str(tree))
        yield Worktree(top, tree)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        # It forgets all work trees whose folders are gone, with the searches in them.
        _git(top, "worktree", "prune", check=False)


def imported_from(worktree: Worktree, path: list[str], inherited: Mapping[str, str]) -> dict[str, str]:
    """The environment for Python in the work tree: what it imports from the repository, it imports from the commit.

    `path` is that of this Python; a package that is installed as a link to the repository is in it.
    """
    top = worktree.repository.resolve()
    entries = [*path, *inherited.get("PYTHONPATH", "").split(os.pathsep)]
    mapped = [
        str(worktree.root / Path(entry).resolve().relative_to(top))
        for entry in entries
        if entry and Path(entry).resolve().is_relative_to(top) and "site-packages" not in Path(entry).parts
    ]
    others = [entry for entry in inherited.get("PYTHONPATH", "").split(os.pathsep) if entry]
    return {**outside_of_git(inherited), "PYTHONPATH": os.pathsep.join(dict.fromkeys([*mapped, *others]))}


def outside_of_git(inherited: Mapping[str, str]) -> dict[str, str]:
    """The environment without what a hook of git has, which is for the repository that it was called in."""
    return {name: value for name, value in inherited.items() if name not in _OF_HOOKS}


def _git(folder: Path, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    done = git.run(folder, *arguments, environment=outside_of_git(os.environ))
    if check and done.returncode:
        raise HilError(f"git {' '.join(arguments[:2])}: {_first(done)}")
    return done


def _first(done: subprocess.CompletedProcess[str]) -> str:
    lines = (done.stderr or done.stdout).strip().splitlines() or [f"exit status {done.returncode}"]
    return lines[0]
