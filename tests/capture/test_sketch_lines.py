"""Lines of sketches: ours and those of others, whole, torn, glued, and nonsense."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.harmless import check_harmless
from support.sketch import counts, text_of
from tflm_hil.capture.setup import CHANNELS
from tflm_hil.capture.sketch_lines import Comment, Empty, Header, Line, Lines, Row, Words, Wrong, parse
from tflm_hil.errors import HilError

NUMBERS = st.integers(-32768, 32767).map(lambda count: f"{count / 8192:.4f}")
ROWS = st.lists(NUMBERS, min_size=6, max_size=6).map(",".join)
ENDS = st.sampled_from(["\n", "\r\n", "\r\r\n"])
STAMPS = st.sampled_from(["", "12:34:56.789 -> ", "09:01:02 -> ", "23:59:59.999999 -> ", "[10:11:12.131] "])


def lines(*pieces: bytes) -> list[Line]:
    reader = Lines()
    return [parse(line) for piece in pieces for line in reader.feed(piece)]


@settings(max_examples=60)
@given(rows=st.lists(st.tuples(STAMPS, ROWS, ENDS), max_size=8), cut=st.integers(0, 600))
def test_rows_are_read_with_any_line_end_and_time_stamp_however_they_arrive(
    rows: list[tuple[str, str, str]], cut: int
) -> None:
    content = "".join(map("".join, rows)).encode()
    found = lines(content[:cut], content[cut:])
    assert [each.values.tolist() for each in found if isinstance(each, Row)] == [
        [float(cell) for cell in row.split(",")] for _, row, _ in rows
    ]
    assert len(found) == len(rows)


@given(content=st.binary(max_size=80) | st.text("0123456789.,;- \t->#:\raXgnif", max_size=60).map(str.encode))
def test_any_bytes_are_a_line_or_one_line_that_says_why_not(content: bytes) -> None:
    try:
        found = [parse(line) for line in Lines().feed(content + b"\n")]
    except HilError as error:
        check_harmless(str(error))
        return
    for line in found:
        if isinstance(line, Wrong):
            check_harmless(line.why)
        elif isinstance(line, Row):
            assert np.isfinite(line.values).all()


@given(data=st.data(), one=ROWS, other=ROWS)
def test_a_torn_row_and_two_that_are_glued_are_never_a_row(data: st.DataObject, one: str, other: str) -> None:
    torn = one[: data.draw(st.integers(1, one.rindex(",")))]
    assert isinstance(parse(torn.encode()), Wrong)
    assert isinstance(parse((one + other).encode()), Wrong)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", Empty()),
        (b"12:34:56.789 -> ", Empty()),
        (b"  ", Empty()),
        (b"# rate_hz: 50", Comment("rate_hz: 50")),
        (b"12:34:56.789 -> # ready", Comment("ready")),
        (b"aX,aY,aZ,gX,gY,gZ", Header()),
        (b"ax, ay, az, gx, gy, gz", Header()),
        (b"MPU6050 connection successful", Words("MPU6050 connection successful")),
        (b"0.1,0.2,0.3,1,2", Wrong("'0.1,0.2,0.3,1,2' has 5 values")),
        (b"7", Wrong("'7' has 1 value")),
        (b"0.1,0.2,0.3,1,2,nan", Wrong("'0.1,0.2,0.3,1,2,nan' has nan, which is no number")),
        (b"0.1,0.2,0.3,1,2,ovf", Wrong("'0.1,0.2,0.3,1,2,ovf' has ovf, which is no number")),
        (b"0.1,0.2.3,0.3,1,2,3", Wrong("'0.1,0.2.3,0.3,1,2,3' has '0.2.3', which is no number")),
        (b"1,2,3,4,5,1e999", Wrong("1,2,3,4,5,1e999 has a number beyond all bounds")),
        (b"\xff\xfe\x00", Wrong(r"\xff\xfe\x00 is no text", noise=True)),
    ],
)
def test_what_a_line_is(content: bytes, line: Line) -> None:
    assert parse(content) == line


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"0.1;0.2;0.3;1;2;3", "the numbers are separated by semicolons; let the sketch print 6 numbers with commas"),
        (b"0,1;0,2;0,3;1;2;3", "the numbers are separated by semicolons"),
        (b"0.1\t0.2\t0.3\t1\t2\t3", "the numbers are separated by tabs"),
        (b"0.1 0.2  0.3 1 2 3", "the numbers are separated by spaces"),
        (b"gX,gY,gZ,aX,aY,aZ", "the columns are gX, gY, gZ, aX, aY, aZ; let the sketch print aX,aY,aZ,gX,gY,gZ"),
    ],
)
def test_another_format_is_said_clearly(content: bytes, message: str) -> None:
    with pytest.raises(HilError) as raised:
        parse(content)
    assert str(raised.value).startswith(message)


def test_what_our_sketch_prints_are_rows() -> None:
    gestures = counts(2)
    found = lines(text_of(gestures).encode())
    assert [type(line) for line in found] == ([Row] * 30 + [Empty]) * 2
    scale = [8192.0] * 3 + [16.4] * 3
    back = [np.rint(line.values * scale).tolist() for line in found if isinstance(line, Row)]
    assert back == gestures.reshape(-1, len(CHANNELS)).tolist()


def test_a_line_without_an_end_fills_no_memory() -> None:
    reader = Lines()
    assert sum(len(line) for line in reader.feed(b"x" * 10_000)) == 10_000 - len(reader._pending)
    assert len(reader._pending) <= 1000
