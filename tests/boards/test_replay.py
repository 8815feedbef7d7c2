"""A recorded board: what it refuses, and that it is the board that was recorded."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from support.targets import BUILT, STM32F4
from tflm_hil.boards.board import Board
from tflm_hil.boards.replay import ReplayKind
from tflm_hil.boards.spec import BoardSpec
from tflm_hil.device.device_info import Counter
from tflm_hil.device.traffic import Head, TrafficLog
from tflm_hil.errors import HilError

BUILD_ID = bytes(range(20))
HEAD = Head(
    created="2026-01-01T00:00:00+0000",
    board="emulated",
    emulator="qemu 7.2.22",
    link="uart",
    model="gesture",
    variant="int8",
    engine="aot",
    target="stm32f4",
    build_id=BUILD_ID.hex(),
)


def spec(folder: Path, head: Head = HEAD, connections: int = 1) -> BoardSpec:
    file = folder / "punch.traffic"
    with TrafficLog(file, head) as log:
        for _ in range(connections):
            log.add("open")
    return BoardSpec(f"replay:{file}", "replay", str(file))


def opened(spec: BoardSpec) -> Board:
    return ReplayKind().open(spec, [STM32F4], Path(), lambda _: None)


def image(build_id: bytes) -> Any:
    return SimpleNamespace(build_id=build_id)


def test_it_has_the_emulator_and_the_counter_of_the_board_that_was_recorded(tmp_path: Path) -> None:
    info: Any = SimpleNamespace(counter=Counter.SYSTICK)
    for emulator, unit in (("qemu 7.2.22", "instructions"), ("renode 1.16.1", "instructions"), (None, "cycles")):
        recorded = spec(tmp_path, msgspec.structs.replace(HEAD, emulator=emulator))
        assert ReplayKind().check(recorded, [STM32F4]) == emulator
        board = opened(recorded)
        assert (board.emulator, board.unit(info), board.persistent) == (emulator, unit, False)


def test_another_target_is_refused_with_the_option_to_add(tmp_path: Path) -> None:
    other = next(target for target in BUILT if target is not STM32F4)
    with pytest.raises(HilError, match=r"a stm32f4 was recorded; add --hil-target=stm32f4$"):
        ReplayKind().check(spec(tmp_path), [other])


def test_options_and_a_file_that_is_not_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(HilError, match="has no options"):
        ReplayKind().check(replace(spec(tmp_path), options={"a": "b"}), [STM32F4])
    with pytest.raises(HilError, match=r"^board replay:: names no file; add one that --hil-record-traffic made$"):
        ReplayKind().check(BoardSpec("replay:", "replay"), [STM32F4])
    with pytest.raises(HilError, match=r"^/dev/null: is no file; name one that --hil-record-traffic made$"):
        ReplayKind().check(BoardSpec("replay:/dev/null", "replay", "/dev/null"), [STM32F4])
    with pytest.raises(HilError, match=r"gone: cannot be read: No such file .* that --hil-record-traffic made"):
        ReplayKind().check(BoardSpec("replay:gone", "replay", str(tmp_path / "gone")), [STM32F4])


def test_another_image_is_refused_with_what_was_recorded(tmp_path: Path) -> None:
    board = opened(spec(tmp_path))
    board.flash(image(BUILD_ID))
    with pytest.raises(HilError) as caught:
        board.flash(image(BUILD_ID[::-1]))
    assert re.fullmatch(
        r"replay:\S+: build 000102030405 of gesture-int8-aot-stm32f4 was recorded, and this is build 131211100f0e: .*",
        str(caught.value),
    )


def test_it_connects_as_often_as_the_board_did(tmp_path: Path) -> None:
    board = opened(spec(tmp_path, connections=2))
    board.connect()
    board.connect()
    with pytest.raises(HilError, match=r"the board was connected 2 times, and .* once more now: run what"):
        board.connect()
