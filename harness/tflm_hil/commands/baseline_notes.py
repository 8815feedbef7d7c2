"""Baselines in git notes: figures of a commit, kept beside it in the repository without being committed.

`refs/notes/hil` of the remote is what counts; the local ref of that name is a copy of it, renewed before each use.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from tflm_hil import git
from tflm_hil.errors import HilError

REF = "refs/notes/hil"
REMOTE = "origin"
DEPTH = 1000
"""So many commits are looked at for a note."""
TRIES = 10
"""Jobs that push at the same time: in each round at least one of them succeeds."""
TIMEOUT_S = 120
_FILE = re.compile(r"\w[\w.+-]*\.json")
# What a server says if another push came first, to a client that speaks English (LC_ALL=C).
_RACE = re.compile(r"fetch first|non-fast-forward|cannot lock ref|failed to update ref|stale info")


class _Note(msgspec.Struct, forbid_unknown_fields=True):
    """What a note holds: the text of each file of the folder of baselines."""

    schema: Literal["hil-notes/1"]
    files: dict[str, str]


@dataclass(frozen=True)
class Noted:
    """The baselines of `commit`: the text of each file by its name."""

    commit: str
    files: dict[str, str]


class BaselineNotes:
    """The notes of the repository that `root` is in, as `remote` has them."""

    def __init__(self, root: Path, remote: str = REMOTE) -> None:
        self._root = root
        self._remote = remote
        self._shown = _without_credentials(remote)

    def nearest(self, start: str) -> Noted | None:
        """The baselines of the last commit before `start` that has any; None if none has.

        Raises:
            HilError: there is no such commit or remote, the clone is too shallow to tell, or a note is damaged.
        """
        commit = self.commit(start)
        if not self._fetch():
            return None
        noted = {line.split()[1] for line in self._git("notes", f"--ref={REF}", "list").splitlines()}
        earlier = self._git("rev-list", f"--max-count={DEPTH}", "--skip=1", commit).split()
        found = next((each for each in earlier if each in noted), None)
        if found is None and self._git("rev-parse", "--is-shallow-repository") == "true":
            raise HilError(
                f"{self._root}: a shallow clone, and none of its {len(earlier) + 1} commits has baselines in its "
                "notes; fetch the history (fetch-depth: 0)"
            )
        return Noted(found, self._read(found)) if found else None

    def push(self, commit: str, files: dict[str, str]) -> None:
        """Add `files` to the note of `commit`, and push it. Files of other jobs that are there stay.

        Raises:
            HilError: there is no such commit or remote, or the remote refuses.
        """
        commit = self.commit(commit)
        for _ in range(TRIES):
            noted = self._fetch() and commit in self._git("notes", f"--ref={REF}", "list")
            note = _Note("hil-notes/1", (self._read(commit) if noted else {}) | files)
            with tempfile.NamedTemporaryFile("wb") as file:
                file.write(msgspec.json.format(msgspec.json.encode(note), indent=1) + b"\n")
                file.flush()
                self._git(*self._identity(), "notes", f"--ref={REF}", "add", "--force", "--file", file.name, commit)
            pushed = self._run("push", "--porcelain", self._remote, REF)
            if pushed.returncode == 0:
                return
            if not _RACE.search(pushed.stdout + pushed.stderr):
                raise HilError(
                    f"git push {self._shown} {REF}: {_reason(pushed)}; a job needs the right to write contents"
                )
        raise HilError(f"git push {self._shown} {REF}: {TRIES} times others were first; push again later")

    def commit(self, name: str) -> str:
        """The full hash of the commit that `name` names. Raises HilError if there is none."""
        return self._git("rev-parse", "--verify", "--end-of-options", f"{name}^{{commit}}")

    def _fetch(self) -> bool:
        """Renew the local ref; whether the remote has one."""
        if not self._git("ls-remote", "--", self._remote, REF):
            self._git("update-ref", "-d", REF)
            return False
        self._git("fetch", "--quiet", "--no-tags", "--", self._remote, f"+{REF}:{REF}")
        return True

    def _read(self, commit: str) -> dict[str, str]:
        where = f"note {REF} of commit {commit[:12]}"
        try:
            note = msgspec.json.decode(self._git("notes", f"--ref={REF}", "show", commit), type=_Note)
        except msgspec.MsgspecError as error:
            raise HilError(
                f"{where}: holds no baselines ({error}); remove it: git notes --ref=hil remove {commit[:12]}, and "
                f"git push {self._shown} {REF}"
            ) from error
        for name in note.files:
            if not _FILE.fullmatch(name):
                raise HilError(f"{where}: {name!r} is no name of a baseline; remove the note")
        return note.files

    def _identity(self) -> tuple[str, ...]:
        """Who writes the note, where git knows nobody, as in CI jobs."""
        known = self._run("var", "GIT_COMMITTER_IDENT").returncode == 0
        return () if known else ("-c", "user.name=tflm-hil", "-c", "user.email=tflm-hil@localhost")

    def _git(self, *arguments: str) -> str:
        done = self._run(*arguments)
        if done.returncode:
            raise HilError(f"git {arguments[0]}: {_reason(done)}; run it in a clone of your repository")
        return done.stdout.strip()

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        try:
            return git.run(self._root, *arguments, timeout_s=TIMEOUT_S)
        except subprocess.TimeoutExpired as error:
            raise HilError(f"git {arguments[0]}: no answer from {self._shown} in {TIMEOUT_S} s; try again") from error


def _reason(done: subprocess.CompletedProcess[str]) -> str:
    """What git said of it, in one line."""
    lines = [line.strip() for line in (done.stderr + done.stdout).splitlines() if line.strip()]
    said = (line for line in lines if line.startswith(("remote:", "fatal:", "error:", "!")))
    return _without_credentials(next(said, lines[0] if lines else ""))


def _without_credentials(text: str) -> str:
    """`text` without what an address says of user and password: it goes into the logs of jobs."""
    return re.sub(r"//[^/@\s]+@", "//", text)
