"""`hil merge`: results files of many jobs in one, and histories of many jobs in one."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from tflm_hil.errors import HilError
from tflm_hil.results.history.database import reading
from tflm_hil.results.history.record import add, measured_now, update
from tflm_hil.results.history.rows import copy
from tflm_hil.results.matrix import combine, conflicts
from tflm_hil.results.model import Results, load, save

RESULTS = "results.json"


def merge_results(out: Path, inputs: Sequence[Path]) -> list[str]:
    """Write the runs of all results files to `out`; return what people must know, a line each.

    Raises:
        HilError: a file cannot be read or written, or is a history.
    """
    many = []
    for path in inputs:
        if is_history(path):
            raise HilError(f"{path}: a history goes into a history: hil merge HISTORY.sqlite {path}")
        many.append(load(path / RESULTS if path.is_dir() else path))
    if not many:
        raise HilError(f"{out}: name the results files that it is to be made of")
    results = combine(many)
    save(results, out)
    return [*conflicts(many), f"{len(results.runs):,} runs of {len(many):,} files"]


def merge_history(out: Path, inputs: Sequence[Path]) -> list[str]:
    """Add what results files and histories hold to the history `out`, which is made if it is not there.

    It is all or nothing, and nothing is added twice. Return what people must know, a line each.

    Raises:
        HilError: a file cannot be read, or `out` cannot be written.
    """
    lines: list[str] = []
    with ExitStack() as opened:
        results, sources = [], []
        for path in inputs:
            if is_history(path):
                if path.resolve() != out.resolve():
                    sources.append(opened.enter_context(reading(path)))
            else:
                results.append(load(path / RESULTS if path.is_dir() else path))

        def write(connection: sqlite3.Connection) -> int:
            return _add(connection, results, sources)

        try:
            added = update(out, write, lines)
        except OSError as error:
            raise HilError(f"{out}: cannot be rebuilt ({error.strerror}); free some space") from error
    return [*lines, f"{added:,} runs are new in {out}"]


def _add(connection: sqlite3.Connection, results: Sequence[Results], sources: Sequence[sqlite3.Connection]) -> int:
    added = sum(add(connection, measured_now(each)) for each in results)
    return added + sum(copy(source, connection) for source in sources)


def is_history(path: Path) -> bool:
    """Whether `path` is meant as a history: by its name, because it may not exist yet, or be damaged."""
    return path.suffix in (".sqlite", ".db")
