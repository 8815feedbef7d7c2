"""Which errors are those of the infrastructure, and that they stay so when they are told again."""

from __future__ import annotations

import pytest
from tflm_hil.errors import (
    BoardError,
    CrashError,
    DeviceError,
    HilError,
    InfrastructureError,
    LineError,
    MuteError,
    RefusedError,
    infrastructure,
)
from tflm_hil.firmware.memory import TooLargeError
from tflm_hil.lab.losses import MOST_IN_A_ROW, Loss, LostError, Streak


def test_what_may_be_the_firmwares_fault_is_never_that_of_the_infrastructure() -> None:
    theirs = [InfrastructureError("PlatformIO failed"), LineError("unplugged"), BoardError("QEMU died")]
    ours = [
        HilError("x"),
        DeviceError("hangs"),
        CrashError("x"),
        MuteError("x"),
        RefusedError("x"),
        TooLargeError("x", {}),
    ]
    assert [error.infrastructure for error in theirs] == [True] * len(theirs)
    assert [error.infrastructure for error in ours] == [False] * len(ours)


def test_whatever_fails_while_a_board_is_opened_is_marked_and_nothing_else() -> None:
    with pytest.raises(HilError) as raised, infrastructure():
        raise HilError("no such port")
    assert raised.value.infrastructure
    assert not HilError("another").infrastructure


def test_recordings_that_were_lost_blame_the_infrastructure_if_all_of_them_do() -> None:
    line, crash = Loss("a", LineError("unplugged")), Loss("b", CrashError("hard fault"))
    assert LostError([line, line], others=True).infrastructure
    assert not LostError([line, crash], others=True).infrastructure


@pytest.mark.parametrize(("error", "blamed"), [(LineError("unplugged"), True), (CrashError("hard fault"), False)])
def test_what_is_not_tried_again_is_blamed_on_what_it_failed_for(error: DeviceError, blamed: bool) -> None:
    streak = Streak()
    for _ in range(MOST_IN_A_ROW):
        assert streak.verdict is None
        streak.lost(Loss("a", error))
    assert streak.verdict is not None
    assert streak.verdict.infrastructure is blamed
