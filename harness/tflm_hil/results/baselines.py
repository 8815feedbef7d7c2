"""Baselines: a folder of figures that later runs must not fall behind, a file for each run, made to be committed."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from tflm_hil.errors import HilError
from tflm_hil.files import probe_folder, write_text
from tflm_hil.results.compare import base_of, compare
from tflm_hil.results.comparison import Base, Change
from tflm_hil.results.merge import Planned
from tflm_hil.results.model import Results, Run
from tflm_hil.results.thresholds import Limits

SCHEMA = "hil-baseline/1"
UPDATE = "--hil-update-baseline"
_KIND, _, _VERSION = SCHEMA.partition("/")

# Of the keys of a run what a comparison needs, and what it is of.
_IDENTITY = ("model", "variant", "engine", "target", "board", "emulator")
_FIGURES = ("firmware", "parity", "attribution", "latency", "preparation", "window", "profile", "outputs", "meaning")
_TOOLS = ("compiler", "engine_version", "model_sha256")


class _File(msgspec.Struct):
    schema: str
    commit: str
    run: dict[str, Any]


@dataclass(frozen=True)
class Baseline:
    """A file of figures: the run, and what it is called in comparisons."""

    path: Path
    run: Run
    base: Base


@dataclass(frozen=True)
class Written:
    """A file that was written for `run`: what changed in it, or that it is `new`.

    Without changes its figures are as they were, and something that they are made of is not, such as symbols.
    """

    path: Path
    run: Run
    new: bool
    changes: list[Change]


@dataclass(frozen=True)
class Update:
    """Baselines that were updated. `same` are runs whose files hold all of it already; `refused` did not pass."""

    written: list[Written]
    same: list[Run]
    refused: list[Run]


def file_name(run: Run) -> str:
    """The name of the file of `run`."""
    return f"{run.build}-{run.place}.json"


def open_folder(folder: Path | None, root: Path, update: bool) -> dict[tuple[str, ...], Baseline] | None:
    """The baselines in `folder`, None without one. If they are to be updated it is made sure that they can be.

    Raises:
        HilError: it is not there, though nobody is to make it; it cannot be written to; or as `read_baselines`.
    """
    if folder is None:
        return None
    if update:
        probe_folder(folder)
    elif not folder.exists():
        raise HilError(f"{folder}: no such folder of baselines; make it with {UPDATE}")
    return read_baselines(folder, root)


def read_baselines(folder: Path, root: Path) -> dict[tuple[str, ...], Baseline]:
    """The baselines in `folder` by the identities of their runs; messages name files as seen from `root`.

    Raises:
        HilError: a file cannot be read, is damaged, or is of a newer version; the message says what to do.
    """
    if folder.exists() and not folder.is_dir():
        raise HilError(f"{folder}: is a file, not a folder of baselines; move it, or name another folder")
    baselines = (read_baseline(path, _shown(path, root)) for path in sorted(folder.glob("*.json")))
    return {baseline.run.identity: baseline for baseline in baselines}


def read_baseline(path: Path, shown: str) -> Baseline:
    """The baseline in the file `path`, which people know as `shown`.

    Raises:
        HilError: it cannot be read, is damaged, or is of a newer version; the message says what to do.
    """
    again = f"restore it, or delete it and make it again with {UPDATE}"
    try:
        content = msgspec.json.decode(path.read_bytes())
    except OSError as error:
        raise HilError(f"{shown}: cannot be read ({error.strerror}); restore it") from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise HilError(f"{shown}: is damaged ({error}); {again}") from error
    schema = content.get("schema") if isinstance(content, dict) else None
    kind, _, version = str(schema).partition("/")
    if kind != _KIND or not version.isdecimal():
        raise HilError(f"{shown}: is no baseline, because its schema is not {SCHEMA!r}; move it elsewhere, or {again}")
    if int(version) > int(_VERSION):
        raise HilError(
            f"{shown}: schema {schema!r} is of a newer tflm-hil, this one reads {SCHEMA!r}; upgrade it: "
            f"pip install --upgrade tflm-hil, or delete the file and make it again with {UPDATE}"
        )
    try:
        file = msgspec.convert(content, _File)
        run = msgspec.convert(_filled(file.run), Run)
    except msgspec.ValidationError as error:
        raise HilError(f"{shown}: is damaged ({error}); {again}") from error
    if file_name(run) != path.name:
        raise HilError(f"{shown}: holds the figures of {run.build} ({run.place}); call it {file_name(run)}")
    return Baseline(path, run, base_of(run, shown, file.commit))


def hold(results: Results, baselines: Mapping[tuple[str, ...], Baseline], limits: Mapping[str, Limits]) -> Results:
    """`results` with the runs of this session held against their baselines, and the names of those that have none.

    `limits` are by the names of builds.
    """
    runs = []
    for run in results.runs:
        baseline = baselines.get(run.identity) if run.current else None
        if baseline is not None:
            run = replace(run, comparison=compare(baseline.base, baseline.run, run, limits.get(run.build, Limits())))
        runs.append(run)
    lacking = [run.name for run in runs if run.current and run.comparison is None]
    return replace(results, runs=runs, no_baseline=lacking)


def stale(baselines: Mapping[tuple[str, ...], Baseline], plan: Sequence[Planned], models: Collection[str]) -> list[str]:
    """The files for which nothing runs, although the session collected all that there is; `models` are those it took.

    What runs on another target, in another emulator or with another engine may have its turn in another session.
    """
    planned = [Run(**test.run, verdict="") for test in plan]
    identities = {run.identity for run in planned}
    here = {(run.engine, run.target, run.place) for run in planned}
    return [
        baseline.base.what
        for identity, baseline in baselines.items()
        if identity not in identities
        and (not models or baseline.run.model in models)
        and (baseline.run.engine, baseline.run.target, baseline.run.place) in here
    ]


def update_baselines(
    runs: Collection[Run], folder: Path, root: Path, commit: str, limits: Mapping[str, Limits]
) -> Update:
    """Write a file for each of `runs` that passed and whose figures are not what its file says.

    `limits` are those of the builds, for what is said of the changes.

    Raises:
        HilError: a baseline that is there cannot be read, or a new one cannot be written.
    """
    before = read_baselines(folder, root)
    update = Update([], [], [])
    for run in runs:
        old = before.get(run.identity)
        if old is not None and run.profile is None and run.latency == old.run.latency:
            # Not every session profiles, and what was profiled is as it was.
            run = replace(run, profile=old.run.profile)
        text = _encoded(run, commit)
        if run.verdict != "pass":
            update.refused.append(run)
        elif old is not None and _encoded(old.run, commit) == text:
            update.same.append(run)
        else:
            path = folder / file_name(run)
            write_text(path, text)
            changes = compare(old.base, old.run, run, limits.get(run.build, Limits())).changes if old else []
            update.written.append(Written(path, run, old is None, changes))
    return update


def _encoded(run: Run, commit: str) -> str:
    content = msgspec.to_builtins(replace(run, board=run.place))
    kept = {key: content[key] for key in (*_IDENTITY, *_FIGURES, *_TOOLS) if content[key]}
    if firmware := kept.get("firmware"):
        del firmware["elf_sha256"]  # Another commit may have another one and the same figures.
        symbols = [
            {key: value for key, value in each.items() if value not in ("", None)} for each in firmware["symbols"]
        ]
        firmware["symbols"] = sorted(symbols, key=lambda symbol: (symbol["name"], *map(str, symbol.values())))
    if parity := kept.get("parity"):
        del parity["classes"], parity["confusion"]
    if attribution := kept.get("attribution"):
        # How far LiteRT's steps are apart depends on its version and on the host.
        attribution["notes"], attribution["steps"] = [], [each | {"name": ""} for each in attribution["steps"][:1]]
    if meaning := kept.get("meaning"):
        meaning["truths"] = {}  # Those of the later run count.
    return _lines({"schema": SCHEMA, "commit": commit, "run": kept}) + "\n"


def _filled(run: dict[str, Any]) -> dict[str, Any]:
    """`run` with what a file does not hold."""
    filled = {"emulator": None, "verdict": "", **run}
    if isinstance(firmware := filled.get("firmware"), dict):
        filled["firmware"] = {"elf_sha256": "", **firmware}
    return filled


def _lines(value: Any, indent: str = "") -> str:
    """JSON for people and their diffs: sorted keys, and one entry of a table or list a line."""
    inner = indent + " "
    if isinstance(value, dict) and value:
        entries = [f"{json.dumps(key)}: {_lines(value[key], inner)}" for key in sorted(value)]
        return "{\n" + ",\n".join(inner + entry for entry in entries) + f"\n{indent}}}"
    if isinstance(value, list) and value:
        return "[\n" + ",\n".join(inner + json.dumps(each, sort_keys=True) for each in value) + f"\n{indent}]"
    return json.dumps(value)


def _shown(path: Path, root: Path) -> str:
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
