"""Results of many jobs as one, such as those of a CI server's matrix of targets and engines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from tflm_hil.results.model import Results, Run


def combine(many: Sequence[Results]) -> Results:
    """One results of at least one. No verdict is changed.

    Of a run that is in several of them, the one counts that was tested last. Runs come in the order of their names, and
    what is said of the session is that of the last one, with what tools and hosts differ in.
    """
    if len(many) == 1:
        return many[0]
    in_time = sorted(many, key=lambda results: results.created)
    runs: dict[tuple[str, ...], Run] = {}
    for results in in_time:
        for run in results.runs:
            if run.current or run.identity not in runs:
                runs[run.identity] = run
    ordered = sorted(runs.values(), key=lambda run: run.identity)
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
        boards=[board for results in in_time for board in results.boards],
        no_baseline=_distinct((results.no_baseline for results in in_time), without=compared),
        stale_baselines=_distinct((results.stale_baselines for results in in_time), without=bases),
    )


def _unlike(many: Sequence[Results]) -> list[str]:
    """What makes them results of different things."""
    commits = sorted({str(results.git.get("commit") or "unknown")[:12] for results in many})
    return [f"results of different commits: {', '.join(commits)}"] if len(commits) > 1 else []


def _joined(tables: Iterable[Mapping[str, str]]) -> dict[str, str]:
    values: dict[str, dict[str, None]] = {}
    for table in tables:
        for key, value in table.items():
            values.setdefault(key, {})[value] = None
    return {key: ", ".join(each) for key, each in values.items()}


def _united(tables: Iterable[Mapping[str, str]], without: set[str]) -> dict[str, str]:
    return {key: value for table in tables for key, value in table.items() if key not in without}


def _distinct(lists: Iterable[Sequence[str]], without: Iterable[str] = ()) -> list[str]:
    gone = set(without)
    return list(dict.fromkeys(each for one in lists for each in one if each not in gone))
