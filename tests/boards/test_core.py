"""Cores that emulators stay on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tflm_hil.boards import lock_file
from tflm_hil.boards.emulator.core import CoreClaim

pytestmark = pytest.mark.skipif(
    not hasattr(os, "sched_getaffinity"), reason="this system cannot bind a process to a core"
)


@pytest.fixture(autouse=True)
def _own_claims(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock_file, "_SHARED", tmp_path)


@pytest.fixture
def only_core() -> Iterator[int]:
    """The core that this process has to stay on, the last of those that it may use."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    yield max(before)
    os.sched_setaffinity(0, before)


def test_no_two_claims_are_for_the_same_core_and_one_that_ends_is_taken_over() -> None:
    cores = os.sched_getaffinity(0)
    claims = [CoreClaim() for _ in cores]
    assert {claim.number for claim in claims} == cores
    claims[-1].release()
    claims[-1].release()
    assert CoreClaim().number == claims[-1].number


def test_those_for_whom_no_core_is_left_share_one(only_core: int) -> None:
    claims = [CoreClaim() for _ in range(2)]
    assert [claim.number for claim in claims] == [only_core] * 2
    claims[-1].release()


def test_the_core_that_linux_has_chosen_for_us_comes_first(only_core: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "sched_getaffinity", lambda _process: set(range(only_core + 2)))
        claim = CoreClaim()
    assert claim.number == only_core


def test_where_claims_cannot_be_noted_cores_are_shared(only_core: int, tmp_path: Path) -> None:
    (tmp_path / f"hil-core-{only_core}.lock").symlink_to(tmp_path / "elsewhere")  # somebody's trick
    assert CoreClaim().number == only_core
