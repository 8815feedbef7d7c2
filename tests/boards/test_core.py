"""Cores that emulators stay on."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from tflm_hil.boards.emulator.core import CoreClaim

pytestmark = pytest.mark.skipif(
    not hasattr(os, "sched_getaffinity"), reason="this system cannot bind a process to a core"
)


def test_no_two_claims_are_for_the_same_core_and_one_that_ends_is_taken_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    cores = sorted(os.sched_getaffinity(0))
    claims = [CoreClaim() for _ in cores]
    assert [claim.number for claim in claims] == cores
    assert CoreClaim().number is None
    claims[-1].release()
    claims[-1].release()
    assert CoreClaim().number == cores[-1]


def test_where_claims_cannot_be_noted_there_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    (tmp_path / "missing").write_text("a file")
    assert CoreClaim().number is None
