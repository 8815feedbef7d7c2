"""Which run of this machine holds a place."""

from __future__ import annotations

from pathlib import Path

import pytest
from tflm_hil.boards.labgrid.lease_record import LeaseRecord
from tflm_hil.boards.labgrid.place import Place
from tflm_hil.errors import HilError


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


def desk(changed: float) -> Place:
    return Place("desk", frozenset(), {}, "bench/me", changed, False)


def test_one_run_at_a_time_has_it_and_the_last_one_is_known() -> None:
    first, second = (LeaseRecord("lab:1", "desk", "bench/me") for _ in range(2))
    assert first.pid is None
    assert first.lock()
    first.write(123456, 1795806447.25)
    assert not second.lock()
    assert second.pid == 123456
    first.unlock()
    assert second.lock()
    assert second.is_of(desk(1795806447.25))
    second.write(7, 8.0)
    assert second.pid == 7
    assert second.is_of(desk(8.0))
    assert not second.is_of(desk(8.5))
    second.unlock()


@pytest.mark.parametrize(
    "other", [("lab:2", "desk", "bench/me"), ("lab:1", "b", "bench/me"), ("lab:1", "desk", "b/me")]
)
def test_others_have_records_of_their_own(other: tuple[str, str, str]) -> None:
    record, others = LeaseRecord("lab:1", "desk", "bench/me"), LeaseRecord(*other)
    assert record.lock()
    assert others.lock()
    record.unlock()
    others.unlock()


def test_a_record_that_cannot_be_kept_is_told(tmp_path: Path) -> None:
    (tmp_path / "tflm-hil").write_text("")
    with pytest.raises(
        HilError, match=r"\.lease: cannot note there who has the place: Not a directory: mend it, or set"
    ):
        LeaseRecord("lab:1", "desk", "bench/me").lock()


def test_a_record_that_says_nothing_is_nobodys() -> None:
    record = LeaseRecord("lab:1", "desk", "bench/me")
    assert record.lock()
    record.path.write_text("7 soon")
    assert (record.pid, record.is_of(desk(0.0))) == (None, False)
    record.unlock()
