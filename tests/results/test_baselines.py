"""The folder of baselines: files that review well, are written only when figures change, and are refused if damaged."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from support.made_results import results, run
from tflm_hil.checks.latency import Latency
from tflm_hil.errors import HilError
from tflm_hil.report.baseline import update_lines
from tflm_hil.results.baselines import (
    Update,
    file_name,
    hold,
    open_folder,
    read_baseline,
    read_baselines,
    stale,
    update_baselines,
)
from tflm_hil.results.groups import FirmwareFigures, OperatorFigures, ParityFigures, ProfileFigures, SymbolFigures
from tflm_hil.results.merge import Planned
from tflm_hil.results.model import Case, Run
from tflm_hil.results.parts import RunKey

NAME = "gesture-int8-aot-stm32f4-qemu.json"
SYMBOLS = [SymbolFigures("weights", ".rodata", 800, "network.o"), SymbolFigures("main", ".text", 40, "main.o")]
GESTURE = run(
    firmware=FirmwareFigures("00", 20_352, 708, 2_000, 232, 5_000, {".text": 12_000, ".rodata": 8_352}, SYMBOLS),
    parity=ParityFigures(1_305, 0, True, None, 0, "tflite-micro 1", 1.0, None),
    outputs={"punch/017": "0a0b", "flex/001": "0c0d"},
    compiler="12.2",
    model_sha256="c" * 64,
)


def updated(root: Path, *runs: Run, commit: str = "a" * 40) -> Update:
    return update_baselines(runs, root / "baselines", root, commit, {})


def test_a_baseline_is_a_file_whose_lines_a_reviewer_can_read(tmp_path: Path) -> None:
    updated(tmp_path, GESTURE)
    (path,) = (tmp_path / "baselines").iterdir()
    assert path.name == NAME
    lines = path.read_text().splitlines(keepends=True)
    assert lines[0] == "{\n"
    assert lines[-1] == "}\n"
    assert '   "flash_bytes": 20352,\n' in lines
    first = lines.index('    {"name": "main", "origin": "main.o", "section": ".text", "size": 40},\n')
    second = lines.index('    {"name": "weights", "origin": "network.o", "section": ".rodata", "size": 800}\n')
    assert second == first + 1, "by their names, so that one that grows does not move"
    content = json.loads(path.read_text())
    assert (content["schema"], content["commit"]) == ("hil-baseline/1", "a" * 40)
    keys = [list(content), list(content["run"]), list(content["run"]["firmware"])]
    assert keys == [sorted(each) for each in keys]
    assert not {"created", "tests", "verdict", "throughput", "link"} & set(content["run"])


def test_a_baseline_comes_back_with_all_that_a_comparison_needs(tmp_path: Path) -> None:
    updated(tmp_path, GESTURE)
    (baseline,) = read_baselines(tmp_path / "baselines", tmp_path).values()
    assert (baseline.base.what, baseline.base.commit) == (f"baselines/{NAME}", "a" * 40)
    assert baseline.base.toolchain["arm-none-eabi-gcc"] == "12.2"
    assert baseline.run.outputs == GESTURE.outputs
    held = hold(results(GESTURE), {GESTURE.identity: baseline}, {})
    assert held.runs[0].comparison is not None
    assert (held.runs[0].comparison.changes, held.runs[0].comparison.notes) == ([], [])
    assert held.no_baseline == []


def test_hardware_has_a_baseline_whatever_its_port_is_called(tmp_path: Path) -> None:
    board = replace(GESTURE, board="/dev/ttyACM0", emulator=None)
    updated(tmp_path, board)
    (path,) = (tmp_path / "baselines").iterdir()
    assert path.name == "gesture-int8-aot-stm32f4-hardware.json"
    assert "ttyACM0" not in path.read_text()
    assert updated(tmp_path, replace(board, board="/dev/ttyACM1")).same


def test_only_a_file_whose_figures_changed_is_written_and_the_change_is_told(tmp_path: Path) -> None:
    other = replace(GESTURE, model="wave")
    assert list(update_lines(updated(tmp_path, GESTURE, other))) == [
        f"baseline: {NAME} new",
        "baseline: wave-int8-aot-stm32f4-qemu.json new",
    ]
    path = tmp_path / "baselines" / NAME
    before = path.read_bytes()
    again = replace(GESTURE, tests=[Case(id="t", outcome="passed", this_session=True, ran="later")])
    said = update_lines(updated(tmp_path, again, other, commit="b" * 40))
    assert list(said) == ["baseline: unchanged for gesture-int8-aot-stm32f4, wave-int8-aot-stm32f4"]
    assert path.read_bytes() == before, "nor for another commit"
    faster = replace(GESTURE, latency=Latency("instructions", 10, 1, 13_000, 14_000, 14_006))
    assert list(update_lines(updated(tmp_path, faster, other, commit="b" * 40))) == [
        f"baseline: {NAME} updated",
        "    latency.median: 13,736 -> 13,000, -736 instructions (-5.4%)",
        "baseline: unchanged for wave-int8-aot-stm32f4",
    ]
    assert json.loads(path.read_text())["commit"] == "b" * 40
    renamed = replace(faster, outputs={"punch/017": "0a0c"})
    assert list(update_lines(updated(tmp_path, renamed))) == [
        f"baseline: {NAME} updated, no figure but what they are made of"
    ]


def test_what_did_not_pass_is_no_baseline_and_what_did_not_run_keeps_its_own(tmp_path: Path) -> None:
    updated(tmp_path, GESTURE)
    before = (tmp_path / "baselines" / NAME).read_bytes()
    said = update_lines(
        updated(tmp_path, replace(GESTURE, verdict="fail", latency=None), replace(GESTURE, model="wave"))
    )
    assert list(said) == [
        "baseline: wave-int8-aot-stm32f4-qemu.json new",
        "baseline: not updated for gesture-int8-aot-stm32f4, whose verdict is fail",
    ]
    assert (tmp_path / "baselines" / NAME).read_bytes() == before


def changed(path: Path, change: Any) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def into_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


AGAIN = "restore it, or delete it and make it again with --hil-update-baseline"
DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "truncated": (
        lambda path: path.write_text(path.read_text()[:300]),
        f"baselines/{NAME}: is damaged (Input data was truncated); {AGAIN}",
    ),
    "empty": (lambda path: path.write_text(""), f"baselines/{NAME}: is damaged (Input data was truncated); {AGAIN}"),
    "no text": (lambda path: path.write_bytes(b'{"schema": "\xff"}'), f"baselines/{NAME}: is damaged (*); {AGAIN}"),
    "a conflict": (
        lambda path: path.write_text("<<<<<<< HEAD\n" + path.read_text()),
        f"baselines/{NAME}: is damaged (JSON is malformed: invalid character (byte 0)); {AGAIN}",
    ),
    "a figure that is none": (
        lambda path: changed(path, lambda content: content["run"]["latency"].update(median="fast")),
        f"baselines/{NAME}: is damaged (Expected `int`, got `str` - at `$.latency.median`); {AGAIN}",
    ),
    "a figure that is missing": (
        lambda path: changed(path, lambda content: content["run"]["firmware"].pop("flash_bytes")),
        f"baselines/{NAME}: is damaged (Object missing required field `flash_bytes` - at `$.firmware`); {AGAIN}",
    ),
    "no run": (
        lambda path: changed(path, lambda content: content.pop("run")),
        f"baselines/{NAME}: is damaged (Object missing required field `run`); {AGAIN}",
    ),
    "a list": (lambda path: path.write_text("[]"), f"baselines/{NAME}: is no baseline, because its schema is not *"),
    "another kind": (
        lambda path: changed(path, lambda content: content.update(schema="hil-results/1")),
        f"baselines/{NAME}: is no baseline, because its schema is not 'hil-baseline/1'; move it elsewhere, or {AGAIN}",
    ),
    "a newer schema": (
        lambda path: changed(path, lambda content: content.update(schema="hil-baseline/2")),
        f"baselines/{NAME}: schema 'hil-baseline/2' is of a newer tflm-hil, this one reads 'hil-baseline/1'; upgrade "
        "it: pip install --upgrade tflm-hil, or delete the file and make it again with --hil-update-baseline",
    ),
    "another name": (
        lambda path: path.rename(path.with_name("wave.json")),
        f"baselines/wave.json: holds the figures of gesture-int8-aot-stm32f4 (qemu); call it {NAME}",
    ),
    "a folder": (
        into_folder,
        f"baselines/{NAME}: cannot be read (Is a directory); restore it",
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("update", [False, True])
def test_a_file_that_is_no_baseline_is_one_line_with_its_name_and_the_remedy(
    tmp_path: Path, damage: str, update: bool
) -> None:
    updated(tmp_path, GESTURE)
    happens, message = DAMAGE[damage]
    happens(tmp_path / "baselines" / NAME)
    with pytest.raises(HilError) as raised:
        open_folder(tmp_path / "baselines", tmp_path, update)
    told = str(raised.value)
    head, _, tail = message.partition("*")
    assert told.startswith(head)
    assert told.endswith(tail)
    assert "\n" not in told


def test_any_byte_that_is_wrong_gives_a_baseline_or_one_line(tmp_path: Path) -> None:
    updated(tmp_path, GESTURE)
    path = tmp_path / "baselines" / NAME
    content = path.read_bytes()
    for position in range(0, len(content), 7):
        path.write_bytes(content[:position] + b"\x00" + content[position + 1 :])
        with pytest.raises(HilError, match=r"^baselines/"):
            read_baseline(path, f"baselines/{NAME}")


def test_a_folder_that_is_not_there_is_told_unless_it_is_to_be_made(tmp_path: Path) -> None:
    with pytest.raises(HilError, match=r"no such folder of baselines; make it with --hil-update-baseline"):
        open_folder(tmp_path / "base", tmp_path, update=False)
    assert open_folder(tmp_path / "base", tmp_path, update=True) == {}
    assert open_folder(None, tmp_path, update=False) is None
    (tmp_path / "file").write_text("")
    with pytest.raises(HilError, match=r"file: is a file, not a folder of baselines"):
        open_folder(tmp_path / "file", tmp_path, update=False)


def planned(*runs: Run) -> list[Planned]:
    return [
        Planned(
            RunKey(
                model=run.model,
                variant=run.variant,
                engine=run.engine,
                board=run.board,
                emulator=run.emulator,
                target=run.target,
            ),
            "t",
            "",
            True,
        )
        for run in runs
    ]


def test_a_baseline_is_stale_if_nothing_runs_for_it_where_it_would_have_to(tmp_path: Path) -> None:
    elsewhere = [
        replace(GESTURE, target="nrf51"),
        replace(GESTURE, engine="tflm"),
        replace(GESTURE, emulator="renode 1.16.1"),
        replace(GESTURE, emulator=None),
    ]
    gone = [replace(GESTURE, model="wave"), replace(GESTURE, variant="float32")]
    updated(tmp_path, GESTURE, *elsewhere, *gone)
    known = read_baselines(tmp_path / "baselines", tmp_path)
    assert stale(known, planned(GESTURE), models=()) == [f"baselines/{file_name(run)}" for run in reversed(gone)]
    assert stale(known, planned(GESTURE), models=("gesture",)) == [f"baselines/{file_name(gone[1])}"]
    assert stale(known, planned(GESTURE, *gone), models=()) == []


def test_a_run_without_a_baseline_is_named_if_it_is_of_this_session() -> None:
    earlier = replace(GESTURE, model="wave", tests=[])
    held = hold(results(GESTURE, earlier), {}, {})
    assert held.no_baseline == ["gesture-int8-aot-stm32f4"]
    assert [run.comparison for run in held.runs] == [None, None]


def test_a_session_that_does_not_profile_keeps_the_profile_that_is_there(tmp_path: Path) -> None:
    operators = [OperatorFigures(0, "FULLY_CONNECTED", "dense", 9_000)]
    updated(tmp_path, replace(GESTURE, profile=ProfileFigures("instructions", "punch/017", 13_736, operators)))
    assert updated(tmp_path, GESTURE).same
    (written,) = updated(tmp_path, replace(GESTURE, latency=Latency("instructions", 10, 1, 1, 1, 1))).written
    assert '"profile"' not in written.path.read_text(), "of other code it would be wrong"
