"""Cores that emulators stay on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tflm_hil.boards import lock_file
from tflm_hil.boards.emulator.core import CoreClaim

pytestmark = pytest.mark.skipif(
    not hasattr(os, "sched_getaffinity"), reason="this system cannot bind a process to a core"
)


def test_no_two_claims_are_for_the_same_core_and_one_that_ends_is_taken_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock_file, "_SHARED", tmp_path)
    cores = sorted(os.sched_getaffinity(0))
    claims = [CoreClaim() for _ in cores]
    assert [claim.number for claim in claims] == cores
    assert CoreClaim().number is None
    claims[-1].release()
    claims[-1].release()
    assert CoreClaim().number == cores[-1]


def test_where_claims_cannot_be_noted_there_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock_file, "_SHARED", tmp_path)
    for core in os.sched_getaffinity(0):
        (tmp_path / f"hil-core-{core}.lock").symlink_to(tmp_path / "elsewhere")  # somebody's trick
    assert CoreClaim().number is None
