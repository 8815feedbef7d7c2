"""`hil compare`: what is compared, wherever it is, and how each run of it differs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from tflm_hil import git
from tflm_hil.errors import HilError
from tflm_hil.results.baselines import read_baselines
from tflm_hil.results.compare import base_of, compare
from tflm_hil.results.comparison import Base
from tflm_hil.results.history.stored import Stored, has_commits, runs_of_commit, runs_of_session
from tflm_hil.results.model import Run, load
from tflm_hil.results.thresholds import Limits

RESULTS = "results.json"
_SESSION = re.compile(r"@(\d+)")
_HASH = re.compile(r"[0-9a-f]{4,40}")


@dataclass(frozen=True)
class Side:
    """One side of a comparison: its runs by identity, and what each is called. `notes` say what to mind about them."""

    what: str
    runs: dict[tuple[str, ...], tuple[Base, Run]]
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Difference:
    """`runs` are those of the second side with their comparisons; `only` are those that one side has, by its name."""

    runs: list[Run]
    only: dict[str, list[str]]
    notes: list[str]

    @property
    def regressed(self) -> bool:
        """Whether anything got worse."""
        return any(run.comparison and run.comparison.regressions for run in self.runs)


def differences(before: Side, now: Side, limits: Callable[[Run], Limits]) -> Difference:
    """Hold the runs that both sides have against each other.

    Raises:
        HilError: they have none in common, or what one says of its outputs contradicts itself.
    """
    both = [identity for identity in now.runs if identity in before.runs]
    if not both:
        raise HilError(
            f"{before.what} and {now.what} have no run in common: {_names(before.runs)} and {_names(now.runs)}"
        )
    runs = []
    for identity in sorted(both):
        (base, old), (_, new) = before.runs[identity], now.runs[identity]
        runs.append(replace(new, comparison=compare(base, old, new, limits(new))))
    only = {
        side.what: [run.name for identity, (_, run) in sorted(side.runs.items()) if identity not in both]
        for side in (before, now)
    }
    return Difference(runs, {what: names for what, names in only.items() if names}, [*before.notes, *now.notes])


def find_side(text: str, root: Path | None, database: Path | None) -> Side:
    """What `text` names: a results file or a folder with one, a folder of baselines, `@` and the number of a session of
    the history, or a commit as git knows it, or as the history does.

    Raises:
        HilError: it names nothing that was measured.
    """
    path = Path(text)
    if path.exists():
        return _of_path(path, text, root)
    if session := _SESSION.fullmatch(text):
        return _of_history(text, runs_of_session(_history(text, database), int(session[1])))
    commit = commit_of(text, root)
    if commit is None and _HASH.fullmatch(text) and database is not None and database.is_file():
        commit = text if has_commits(database, text) else None
    if commit is None:
        raise HilError(f"{text}: no file, no session of the history such as @12, and no commit that git knows")
    found = runs_of_commit(_history(text, database), commit)
    if not found:
        raise HilError(
            f"{text}: nothing of commit {commit[:12]} is in the history; check it out and run `pytest --board=emulated`"
        )
    name = text if commit.startswith(text) else f"{text} ({commit[:12]})"
    return _of_history(name, found)


def commit_of(text: str, root: Path | None) -> str | None:
    """The full hash of the commit that git calls `text`, None if it knows none."""
    if root is None or text.startswith("-"):
        return None
    try:
        done = git.run(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{text}^{{commit}}")
    except HilError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _of_path(path: Path, text: str, root: Path | None) -> Side:
    if path.is_dir() and not (path / RESULTS).is_file():
        baselines = read_baselines(path, root or path)
        if not baselines:
            raise HilError(f"{text}: neither a {RESULTS} nor baselines are there")
        return Side(text, {identity: (each.base, each.run) for identity, each in baselines.items()})
    results = load(path / RESULTS if path.is_dir() else path)
    commit = str(results.git.get("commit", ""))
    return Side(text, {run.identity: (base_of(run, text, commit), run) for run in results.runs})


def _of_history(text: str, found: Iterable[Stored]) -> Side:
    runs, dirty = {}, []
    for each in found:
        runs[each.run.identity] = (base_of(each.run, f"{text}, session @{each.session}", each.commit), each.run)
        if each.dirty:
            dirty.append(each.run.name)
    notes = [f"{text}: {', '.join(sorted(dirty))} measured with local changes"] if dirty else []
    return Side(text, runs, notes)


def _history(text: str, database: Path | None) -> Path:
    if database is None:
        raise HilError(f"{text}: no such file, and no project here whose history could have it")
    return database


def _names(runs: dict[tuple[str, ...], tuple[Base, Run]]) -> str:
    return ", ".join(run.name for _, run in runs.values()) or "none"
