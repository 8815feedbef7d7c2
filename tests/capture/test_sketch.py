"""Gestures and settings out of what a sketch prints."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.harmless import check_harmless
from support.sketch import HEAD, counts, text_of
from tflm_hil.capture.setup import Setup
from tflm_hil.capture.sketch import Sketch
from tflm_hil.capture.sketch_settings import Settings, sensor_option
from tflm_hil.capture.source import Event, Gesture, Note
from tflm_hil.errors import HilError

NOTHING = Settings()


def events(*texts: str, told: Settings = NOTHING) -> list[Event]:
    sketch = Sketch(told)
    return [event for text in texts for event in sketch.feed(text.encode())]


def gestures_of(found: list[Event]) -> list[list[list[int]]]:
    setup = next(event for event in found if isinstance(event, Setup))
    return [np.rint(each.values * setup.scale).tolist() for each in found if isinstance(each, Gesture)]


def notes(found: list[Event]) -> list[str]:
    return [event.text for event in found if isinstance(event, Note)]


def test_our_sketch_says_what_there_is_to_know() -> None:
    sent = counts(3)
    found = events(HEAD + text_of(sent))
    assert gestures_of(found) == sent.tolist()
    assert Setup("MPU6050", 4, 2000, 50, (31, -12, 8170, 5, -7, 2)) in found
    assert notes(found) == ["the sketch says: calibration: hold the sensor still", "the sketch says: ready"]


def test_a_sketch_that_says_nothing_is_that_of_the_paper_at_the_users_rate() -> None:
    found = events("aX,aY,aZ,gX,gY,gZ\n" + text_of(counts(1), "\r\n"), told=Settings(rate_hz=119))
    assert Setup("MPU6050", 4, 2000, 119) in found
    assert len(gestures_of(found)) == 1


@settings(max_examples=40)
@given(data=st.data(), end=st.sampled_from(["\n", "\r\n", "\r\r\n"]))
def test_a_damaged_gesture_is_left_out_alone(data: st.DataObject, end: str) -> None:
    """A byte that is lost, or a piece: the gesture of that place is left out, unless only a digit is missing."""
    sent = counts(3)
    parts = [text_of(gesture[np.newaxis], end) for gesture in sent]
    middle = parts[1].split(end)
    row = data.draw(st.integers(0, 29))
    damage = data.draw(st.sampled_from(["torn", "glued", "lost", "noise"]))
    if damage == "torn":
        middle[row] = middle[row][: middle[row].index(",", 3)]
    elif damage == "glued":
        middle[row : row + 2] = ["".join(middle[row : row + 2])]
    elif damage == "lost":
        del middle[row]
    else:
        middle[row] = "\x00\x01" + middle[row]
    glued_to_nothing = damage == "glued" and row == 29
    found = events(HEAD, parts[0], end.join(middle) + (end if glued_to_nothing else ""), parts[2])
    kept = gestures_of(found)
    assert [kept[0], kept[-1]] == [sent[0].tolist(), sent[2].tolist()]
    assert len(kept) == 3 if glued_to_nothing else 2
    for note in notes(found):
        check_harmless(note)


def test_a_damaged_line_is_told_by_its_number() -> None:
    text = text_of(counts(1)).splitlines()
    text[3] = "0.5,0.25"
    (note,) = notes(events("\n".join(text) + "\n\n", told=Settings(rate_hz=50)))
    assert note == (
        "line 4: '0.5,0.25' has 2 values; expected 6 numbers with commas between them: aX,aY,aZ,gX,gY,gZ;"
        " the gesture of lines 1 to 30 is left out"
    )


def test_a_gesture_of_other_rows_is_told() -> None:
    (note,) = notes(events(text_of(counts(1, rows=17)), told=Settings(rate_hz=50)))
    assert note == "the gesture of lines 1 to 17 is left out: it has 17 rows, not 30 (--rows)"
    assert len(gestures_of(events(text_of(counts(1, rows=17)), told=Settings(rate_hz=50, rows=17)))) == 1


def test_values_in_other_units_are_told() -> None:
    row = "0.1,0.2,9.81,1,2,3\n"
    (note,) = notes(events(row * 30 + "\n", told=Settings(rate_hz=50)))
    assert "line 1: aZ is 9.81, but the sensor's range is 4 g (does the sketch print g and dps?) (and 29 more)" in note


def test_text_before_a_gesture_harms_none_and_text_within_does() -> None:
    text = text_of(counts(1))
    told = Settings(rate_hz=50)
    assert len(gestures_of(events("moved!\n" + text, told=told))) == 1
    lines = text.splitlines(keepends=True)
    found = events("".join([*lines[:9], "low battery\n", *lines[9:]]), told=told)
    assert "line 10: 'low battery' is no row" in notes(found)[0]


@pytest.mark.parametrize(
    ("text", "told", "message"),
    [
        (
            text_of(counts(1)),
            Settings(),
            "line 1: the sketch does not say how many rows a second these are; add --rate",
        ),
        ("# rate_hz: 100\n", Settings(rate_hz=50), "line 1: the sketch says rate_hz: 100.0, but --rate says 50"),
        ("# rows: 30\n", Settings(rows=20), "line 1: the sketch says rows: 30, but --rows says 20; leave the option"),
        ("# sensor: BMI270\n", sensor_option("MPU6050,4,2000"), "line 1: the sketch says sensor: BMI270, but --sensor"),
        ("# rate_hz: 5O\n", Settings(), "line 1: rate_hz: '5O' is no value of it; correct the sketch"),
        ("# offsets: 1,2,3\n", Settings(), "line 1: offsets: '1,2,3' is no value of it"),
        ("# rate_hz: inf\n# ready\n", Settings(), "line 2: a rate of inf Hz: choose one above 0"),
        ("# sensor: MPU\n# rate_hz: 50\n# ready\n", Settings(), "line 3: sensor MPU: sensor 'MPU' is unknown; use one"),
        ("1;2;3;4;5;6\n", Settings(), "line 1: the numbers are separated by semicolons; let the sketch print"),
        ("0,0,0,0,0,0\n" * 200, Settings(rate_hz=50), "line 121: there are 121 rows without an empty line; let the"),
        ("\x80\x81\x82\n" * 150, Settings(), "bytes that are no text; is the baud rate right (--baud)?"),
    ],
)
def test_what_no_gesture_can_come_of_is_one_line(text: str, told: Settings, message: str) -> None:
    with pytest.raises(HilError) as raised:
        list(Sketch(told).feed(text.encode("latin-1")))
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("text", ["MPU6050", "MPU6050,4", "MPU6050,a,b", "MPU6050,4,2000,1"])
def test_a_sensor_has_two_ranges(text: str) -> None:
    with pytest.raises(HilError, match="give its name and its ranges in g and dps"):
        sensor_option(text)
