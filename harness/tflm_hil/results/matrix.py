"""Results of many jobs as one, such as those of a CI server's matrix of targets and engines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from tflm_hil.results.model import BoardFigures, Results, Run


def combine(many: Sequence[Results]) -> Results:
    """One results of at least one, whatever their order, and the same if some are put in again. No verdict is changed.

    Of a run that is in several of them, the one counts that was tested last, and of two of the same second the one with
    the worse verdict. Runs come in the order of their names, and what is said of the session is that of the last one,
    with what tools and hosts differ in.
    """
    if len(many) == 1:
        return many[0]
    in_time = sorted(many, key=lambda results: (results.created, msgspec.json.encode(results)))
    ordered = [max(found, key=_rank)[1] for _, found in sorted(_alike(many).items())]
    names = {run.name for run in ordered}
    compared = {run.name for run in ordered if run.comparison}
    bases = {run.comparison.base.what for run in ordered if run.comparison}
    return replace(
        in_time[-1],
        host=_joined(results.host for results in in_time),
        toolchain=_joined(results.toolchain for results in in_time),
        runs=ordered,
        gaps=[*_unlike(in_time), *_distinct(results.gaps for results in in_time)],
        left_out=_distinct((results.left_out for results in in_time), without=names),
        skipped=_united((results.skipped for results in in_time), without=names),
        missing_engines=_united(
            (results.missing_engines for results in in_time), without={run.engine for run in ordered}
        ),
        boards=_boards(in_time),
        no_baseline=_distinct((results.no_baseline for results in in_time), without=compared),
        stale_baselines=_distinct((results.stale_baselines for results in in_time), without=bases),
    )


def conflicts(many: Sequence[Results]) -> list[str]:
    """A line for each run that several of them have tested, and which one counts."""
    lines = []
    for _, found in sorted(_alike(many).items()):
        tested = sorted(((when, run) for when, run in found if run.current), key=_rank)
        different = list({msgspec.json.encode(run): (when, run) for when, run in tested}.values())
        if len(different) > 1:
            *others, (last, kept) = different
            said = ", ".join(f"{run.verdict} of {when}" for when, run in others)
            lines.append(f"{run_label(kept)}: {kept.verdict} of {last} counts, the last, not {said}")
    return lines


def run_label(run: Run) -> str:
    """The name of a run and where it ran."""
    return f"{run.name} ({run.place})"


def _alike(many: Iterable[Results]) -> dict[tuple[str, ...], list[tuple[str, Run]]]:
    """The runs of each identity, and when each was tested."""
    found: dict[tuple[str, ...], list[tuple[str, Run]]] = {}
    for results in many:
        for run in results.runs:
            when = max((case.ran or "" for case in run.tests), default="")
            found.setdefault(run.identity, []).append((when or results.created, run))
    return found


def _rank(tested: tuple[str, Run]) -> tuple[bool, str, int, bytes]:
    """It is different for different runs, so that the order of files does not matter."""
    when, run = tested
    return (run.current, when, {"pass": 0, "fail": 2}.get(run.verdict, 1), msgspec.json.encode(run))


def _boards(many: Iterable[Results]) -> list[BoardFigures]:
    """Boards that are alike in everything are one that is listed twice."""
    every = {msgspec.json.encode(board): board for results in many for board in results.boards}
    return [every[key] for key in sorted(every)]


def _unlike(many: Sequence[Results]) -> list[str]:
    """What makes them results of different things."""
    commits = sorted({str(results.git.get("commit") or "unknown")[:12] for results in many})
    return [f"results of different commits: {', '.join(commits)}"] if len(commits) > 1 else []


def _joined(tables: Iterable[Mapping[str, str]]) -> dict[str, str]:
    values: dict[str, dict[str, None]] = {}
    for table in tables:
        for key, value in table.items():
            values.setdefault(key, {}).update(dict.fromkeys(value.split(", ")))
    return {key: ", ".join(sorted(each)) for key, each in values.items()}


def _united(tables: Iterable[Mapping[str, str]], without: set[str]) -> dict[str, str]:
    return {key: value for table in tables for key, value in table.items() if key not in without}


def _distinct(lists: Iterable[Sequence[str]], without: Iterable[str] = ()) -> list[str]:
    gone = set(without)
    return list(dict.fromkeys(each for one in lists for each in one if each not in gone))
