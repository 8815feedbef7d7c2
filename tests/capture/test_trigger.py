"""When a gesture begins, and which rows belong to it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tflm_hil.capture.setup import Values
from tflm_hil.capture.trigger import Cut, Trigger
from tflm_hil.errors import HilError

RATE_HZ = 50


def stream(length: int, motions: dict[int, float], gravity: tuple[float, float, float] = (0.6, 0.0, 0.8)) -> Values:
    """Rows at rest; from each key on the sensor shakes for ten rows by so many g. gX counts the rows."""
    rows = np.zeros((length, 6))
    rows[:, :3] = gravity
    rows[:, 3] = np.arange(length)
    for at, g in motions.items():
        rows[at : at + 10, 0] += g * np.resize([1, -1], len(rows[at : at + 10]))
    return rows


def cut(rows: Values, how: Cut) -> list[list[int]]:
    """The numbers of the rows of each gesture."""
    trigger = Trigger(how, RATE_HZ)
    gestures = [gesture for row in rows if (gesture := trigger.take(row)[1]) is not None]
    return [gesture[:, 3].astype(int).tolist() for gesture in gestures]


def test_a_gesture_has_rows_from_before_its_motion() -> None:
    assert cut(stream(200, {60: 1.0}), Cut(rows=30, pre_trigger=5)) == [list(range(55, 85))]


@pytest.mark.parametrize("g", [0.45, 0.55])
def test_the_threshold_is_met_or_not_whatever_gravity_is(g: float) -> None:
    for gravity in ((0.0, 0.0, 1.0), (0.57, 0.57, 0.57), (-1.0, 0.0, 0.0)):
        found = cut(stream(200, {60: g}, gravity), Cut(threshold_g=0.5))
        assert len(found) == (g > 0.5)


def test_a_motion_without_rest_before_it_begins_nothing() -> None:
    """The end of one gesture is not the beginning of another."""
    assert len(cut(stream(400, {60: 1.0, 95: 1.0}), Cut())) == 1
    assert len(cut(stream(400, {60: 1.0, 150: 1.0}), Cut())) == 2


def test_without_a_threshold_every_row_belongs_to_a_gesture() -> None:
    assert cut(stream(95, {}), Cut(threshold_g=0.0, rows=30)) == [list(range(at, at + 30)) for at in (0, 30, 60)]


@settings(max_examples=60)
@given(
    motions=st.dictionaries(st.integers(0, 400), st.floats(0.1, 4), max_size=6),
    rows=st.integers(1, 60),
    pre_trigger=st.integers(0, 59),
    threshold=st.floats(0, 3),
)
def test_gestures_are_whole_in_order_and_share_no_row(
    motions: dict[int, float], rows: int, pre_trigger: int, threshold: float
) -> None:
    found = cut(stream(450, motions), Cut(threshold, rows, min(pre_trigger, rows - 1)))
    flat = [row for gesture in found for row in gesture]
    assert flat == sorted(set(flat))
    for gesture in found:
        assert gesture == list(range(gesture[0], gesture[0] + rows))


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"rows": 0}, "--rows=0: a gesture has at least one row"),
        ({"pre_trigger": 30}, "--pre-trigger=30: choose 0 to 29"),
        ({"rows": 5, "pre_trigger": -1}, "--pre-trigger=-1: choose 0 to 4"),
        ({"threshold_g": -0.1}, "--threshold=-0.1: choose a number of g, or 0"),
        ({"threshold_g": float("nan")}, "--threshold=nan: choose a number of g"),
    ],
)
def test_what_makes_no_sense_is_refused(how: dict[str, float], message: str) -> None:
    with pytest.raises(HilError) as raised:
        Cut(**how)  # type: ignore[arg-type]
    assert str(raised.value).startswith(message)
