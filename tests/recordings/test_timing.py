"""No window crosses a hole in the times, and a wrong rate is noticed."""

import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.recordings_helpers import CHANNELS, write_recordings
from tflm_hil.errors import HilError
from tflm_hil.recordings import Recording, load_recordings
from tflm_hil.recordings.timing import DisorderError, RateError, continuous

RATE_HZ = 50.0
PERIOD_MS = 20.0


def timed(times_ms: list[float]) -> str:
    return "t,aX,gX\n" + "".join(f"{time:.3f},1.{row:03},500\n" for row, time in enumerate(times_ms))


def load(directory: Path, times_ms: list[float], minimum_rows: int = 1) -> tuple[list[Recording], list[str]]:
    folder = write_recordings(directory, timed(times_ms), 'time_column = "t"\ntime_unit = "ms"')
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        recordings = load_recordings(folder, CHANNELS, minimum_rows)
    return recordings, [str(warning.message) for warning in caught]


def steady(rows: int, start: float = 0.0, period: float = PERIOD_MS) -> list[float]:
    return [start + row * period for row in range(rows)]


def test_a_hole_ends_the_recording_there(tmp_path: Path) -> None:
    recordings, said = load(tmp_path, [*steady(11), *steady(7, start=1200.0)])
    assert [(recording.name, len(recording.samples)) for recording in recordings] == [("data.1", 11), ("data.2", 7)]
    assert recordings[1].samples[0, 0] == round(1.011 * 8192)
    assert said == [
        f"{tmp_path}/recordings.toml: data.csv: times have holes (the first before line 13); 1 recording split into 2 "
        "parts"
    ]


@pytest.mark.parametrize(
    ("times", "rows"),
    [
        pytest.param([*steady(5), *steady(5, 80.0)], [5, 5], id="a time twice"),
        pytest.param([*steady(5), *steady(5)], [5, 5], id="starts again"),
        pytest.param([0, 20, 60, 40, 80, 100, 120, 140, 160, 180], [2, 1, 1, 6], id="two rows exchanged"),
        pytest.param([*steady(5), *steady(5, 120.0)], [5, 5], id="one row missing"),
        pytest.param([*steady(5), *steady(5, 100.0 - 10.1)], [5, 5], id="too early by more than half a period"),
        pytest.param([*steady(5), *steady(5, 100.0 + 9.9)], [10], id="late by less than half a period"),
        pytest.param([0, 26, 36.5, 61, 80, 108, 120, 141, 160, 185], [10], id="jitter"),
        pytest.param([1.7e12 + time for time in steady(10)], [10], id="Unix time"),
    ],
)
def test_intervals(tmp_path: Path, times: list[float], rows: list[int]) -> None:
    recordings, said = load(tmp_path, times)
    assert [len(recording.samples) for recording in recordings] == rows
    assert bool(said) == (len(rows) > 1)


def test_parts_too_short_for_a_window_are_left_out_and_reported(tmp_path: Path) -> None:
    times = [*steady(10), *steady(3, 1000.0), *steady(10, 2000.0)]
    recordings, said = load(tmp_path, times, minimum_rows=5)
    assert [recording.name for recording in recordings] == ["data.1", "data.3"]
    assert "split into 3 parts, 1 of them too short for a window and left out" in said[0]
    with pytest.raises(HilError, match=r"data\.csv: the times have so many holes that no part has the 11 rows"):
        load(tmp_path, times, minimum_rows=11)


@pytest.mark.parametrize(
    ("times", "line", "rate"),
    [
        pytest.param(steady(100, period=10.0), 2, 100, id="another rate"),
        pytest.param(steady(100, period=21.5), 2, 46.51, id="slightly another rate"),
        pytest.param([*steady(60), *steady(60, 1200.0, 17.0)], 62, 58.82, id="faster half-way"),
        pytest.param([*steady(60), *steady(60, 1200.0, 25.0)], 62, 40, id="slower half-way"),
        pytest.param([*steady(100), *steady(40, 2000.0, 5.0)], 101, 200, id="many times faster near the end"),
        pytest.param([*steady(40, period=100.0), *steady(200, 4000.0)], 2, 10, id="slower at the beginning"),
        pytest.param([time / 1000 for time in steady(50)], 2, 5e4, id="seconds said to be milliseconds"),
    ],
)
def test_another_rate_is_refused_where_it_begins(tmp_path: Path, times: list[float], line: int, rate: float) -> None:
    with pytest.raises(HilError, match=r"rows come at .* Hz, not at the 50 Hz of the manifest; correct") as raised:
        load(tmp_path, times)
    assert f"at {rate:.4g} Hz" in str(raised.value)
    named = int(str(raised.value).split(":")[1])
    assert abs(named - line) <= 1


BURSTS = [5.0 * (row // 5) for row in range(100)]


@pytest.mark.parametrize("times", [[0.0] * 20, steady(20)[::-1], BURSTS], ids=["equal", "falling", "bursts"])
def test_times_that_are_none_are_refused(tmp_path: Path, times: list[float]) -> None:
    with pytest.raises(HilError, match=r"data\.csv:\d+: most times stand still or go back in column t; "):
        load(tmp_path, times)


@given(
    lengths=st.lists(st.integers(1, 40), min_size=1, max_size=6),
    holes=st.lists(st.floats(0.6, 1000.0), min_size=5, max_size=5),
    jitter=st.lists(st.floats(-0.01, 0.01), min_size=240, max_size=240),
)
def test_holes_separate_the_runs(lengths: list[int], holes: list[float], jitter: list[float]) -> None:
    times: list[float] = []
    wanted: list[slice] = []
    for length, hole in zip(lengths, [0.0, *holes], strict=False):
        start = times[-1] + 1.0 + hole if times else 0.0
        wanted.append(slice(len(times), len(times) + length))
        times += [start + row + jitter[len(times) + row] for row in range(length)]
    try:
        runs = continuous(np.array(times) / RATE_HZ, RATE_HZ)
    except RateError:
        # Many equal holes in a row are another rate.
        assert len(holes[: len(lengths) - 1]) * 2 > min(len(times) - 1, 32)
    else:
        assert runs == wanted


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=80))
def test_any_times_give_runs_of_all_rows_or_the_row_of_another_rate(times: list[float]) -> None:
    try:
        runs = continuous(np.array(times), RATE_HZ)
    except (RateError, DisorderError) as error:
        row = error.row
    else:
        row = 0
        assert [row for run in runs for row in range(run.start, run.stop)] == list(range(len(times)))
    assert 0 <= row < len(times)
