"""Recordings that several boards work off, and boards that several processes share."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from tflm_hil.errors import DeviceError
from tflm_hil.lab.claims import EVERY, Claims
from tflm_hil.lab.fleet import FOLDER, Activity, ActivityFile, read_fleet
from tflm_hil.lab.losses import Loss
from tflm_hil.lab.work import Work

DONE: Any = None
DEAD = Loss("punch/001", DeviceError("the line broke"))


@given(st.lists(st.integers(0, 1000), max_size=12), st.data())
def test_every_item_is_done_once_whatever_is_given_back(sizes: list[int], data: st.DataObject) -> None:
    work = Work(sizes)
    taken: list[int] = []
    while (item := work.take()) is not None:
        taken.append(item)
        data.draw(st.sampled_from([lambda i: work.answer(i, DONE), lambda i: work.give_back(i, DEAD)]))(item)
    assert not work.left
    assert sorted([*work.answered, *work.lost]) == list(range(len(sizes)))
    assert all(taken.count(item) == 2 for item in work.lost)  # two boards died with it
    first_time = list(dict.fromkeys(taken))
    assert [sizes[item] for item in first_time] == sorted(sizes, reverse=True)


def test_a_board_without_work_waits_for_what_another_one_may_give_back() -> None:
    work = Work([5])
    assert work.take() == 0
    with ThreadPoolExecutor(1) as other:
        taken = other.submit(work.take)
        work.give_back(0, DEAD)
        assert taken.result(10) == 0
        waiting = other.submit(work.take)
        work.answer(0, DONE)
        assert waiting.result(10) is None


def test_work_that_is_stopped_lets_everybody_go() -> None:
    work = Work([5, 5])
    work.take()
    work.stop()
    assert work.take() is None


def test_a_process_has_a_board_that_no_other_has_until_it_gives_it_back(tmp_path: Path) -> None:
    ours, theirs = Claims(tmp_path), Claims(tmp_path)
    assert ours.take(0)
    assert ours.take(0)
    assert not theirs.take(0)
    assert theirs.take(1)
    ours.give_back(0)
    assert theirs.take(0)
    assert Claims(None).take(0)


def test_what_one_process_leaves_out_the_others_leave_out_too(tmp_path: Path) -> None:
    ours, theirs = Claims(tmp_path), Claims(tmp_path)
    assert theirs.left_out(0, "a") == ""
    ours.leave_out(0, "a", "it is mute")
    ours.leave_out(1, EVERY, "it is gone")
    assert [theirs.left_out(0, "a"), theirs.left_out(0, "b"), theirs.left_out(1, "b")] == [
        "it is mute",
        "",
        "it is gone",
    ]


def test_the_fleet_is_what_living_processes_do(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    file = ActivityFile(tmp_path / FOLDER, "/dev/ttyACM0")
    left = tmp_path / FOLDER / f"{ended.pid}-0.json"
    left.write_bytes(msgspec.json.encode(Activity("/dev/ttyACM1", ended.pid, "somebody", 0.0)))
    (tmp_path / FOLDER / "7-0.json").write_text("{")
    file.begin("gesture-int8", "punch/001")
    (one,) = read_fleet(tmp_path)
    assert (one.board, one.firmware, one.what, one.pid) == ("/dev/ttyACM0", "gesture-int8", "punch/001", os.getpid())
    assert not left.exists()
    file.end()
    assert [each.what for each in read_fleet(tmp_path)] == [""]
    file.remove()
    assert read_fleet(tmp_path) == []


def test_an_activity_that_cannot_be_written_disturbs_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    file = ActivityFile(tmp_path / "file" / "fleet", "board")
    file.begin("firmware", "what")
    file.remove()
