"""Recordings in all common layouts are loaded as the same counts."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.recordings_helpers import CHANNELS, write_recordings
from tflm_hil.recordings import Channel, Recording, by_file, load_recordings

PLAIN = "aX,gX\n0.5,100\n-1,-20.5\n"
COUNTS = [[4096, 1640], [-8192, -336]]
EXTERNAL = Path(__file__).parents[3] / "shared" / "data"


def load(directory: Path, csv: str | bytes, manifest: str = "", file: str = "") -> list[Recording]:
    return load_recordings(write_recordings(directory, csv, manifest, file), CHANNELS)


@pytest.mark.parametrize(
    ("csv", "manifest"),
    [
        pytest.param(PLAIN, "", id="plain"),
        pytest.param(PLAIN.replace("\n", "\r\n"), "", id="crlf"),
        pytest.param(PLAIN.replace("\n", "\r"), "", id="cr"),
        pytest.param(PLAIN.replace("\n", "\r\r\n"), "", id="cr-cr-lf"),
        pytest.param(b"\xef\xbb\xbf" + PLAIN.encode(), "", id="byte-order-mark"),
        pytest.param(PLAIN.rstrip("\n"), "", id="no-last-newline"),
        pytest.param("\n\n" + PLAIN + "\n\n", "", id="blank-ends"),
        pytest.param("aX,gX\n\n0.5,100\n-1,-20.5\n", "", id="blank-after-header"),
        pytest.param('"aX", "gX"\n 0.5 , 100\n-1.0e0,-20.5\n', "", id="quotes-and-spaces"),
        pytest.param("0.5,100\n-1,-20.5\n", 'names = ["aX", "gX"]', id="no-header"),
        pytest.param("t,gX,note,aX\n0,100,hit,0.5\n20,-20.5,,-1\n", "", id="any-order-and-more-columns"),
        pytest.param("t,aX,gX\n0,0.5,100\n19.9,-1,-20.5\n", 'time_column = "t"\ntime_unit = "ms"', id="time-column"),
        pytest.param(
            "ax,gyro\n500,100\n-1000,-20.5\n",
            '[columns]\naX = {name = "ax", unit = "mg"}\ngX = {name = "gyro"}',
            id="mg",
        ),
        pytest.param("aX,gX\n4.903325,100\n-9.80665,-20.5\n", '[columns]\naX = {unit = "m/s^2"}', id="m/s^2"),
        pytest.param(
            "aX,gX\n0.5,1.74532925\n-1,-0.35779250\n", '[columns]\ngX = {unit = "rad/s"}', id="radians-a-second"
        ),
        pytest.param(
            "aX,gX\n4096,1640\n-8192,-336\n", '[columns]\naX = {unit = "raw"}\ngX = {unit = "raw"}', id="counts"
        ),
    ],
)
def test_layouts_of_one_recording(tmp_path: Path, csv: str | bytes, manifest: str) -> None:
    (recording,) = load(tmp_path, csv, manifest)
    assert recording.samples.dtype == np.int16
    assert recording.samples.tolist() == COUNTS
    assert recording.name == "data"
    assert recording.file == tmp_path / "data.csv"
    assert recording.sample_rate_hz == 50.0


@pytest.mark.parametrize(
    ("csv", "file"),
    [
        pytest.param("aX,gX\n1,99\n2,0\n\n3,0\n", "", id="blank-line"),
        pytest.param("aX,gX\r\n\r\n1,99\r\n2,0\r\n,\r\n \r\n3,0\r\n", "", id="blank-as-spreadsheets-write-it"),
        pytest.param("aX,gX\n1,99\n2,0\n3,0\n", "rows = 1", id="fixed-length"),
        pytest.param("aX,gX\n1,99\n\n2,0\n3,0\n", "rows = 1", id="fixed-length-over-blank-lines"),
    ],
)
def test_several_recordings_in_a_file(tmp_path: Path, csv: str, file: str) -> None:
    recordings = load(tmp_path, csv, file=f'label = "punch"\n{file}')
    assert [recording.name for recording in recordings] == [f"data/{n:03}" for n in range(1, len(recordings) + 1)]
    assert {recording.label for recording in recordings} == {"punch"}
    assert len(recordings) == (3 if file else 2)
    assert np.concatenate([recording.samples for recording in recordings])[:, 0].tolist() == [8192, 16384, 24576]


def test_with_a_pattern_each_file_is_a_recording(tmp_path: Path) -> None:
    write_recordings(tmp_path, PLAIN)
    (tmp_path / "more").mkdir()
    for name in "b", "a":
        (tmp_path / "more" / f"{name}.csv").write_text(PLAIN)
    manifest = tmp_path / "recordings.toml"
    manifest.write_text(manifest.read_text().replace("data.csv", "more/*.csv"))
    assert [recording.name for recording in load_recordings(tmp_path, CHANNELS)] == ["more/a", "more/b"]


def test_values_beyond_the_range_of_the_sensor_are_clipped(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="are clipped; is their unit right") as warned:
        (recording,) = load(tmp_path, "aX,gX\n4,2000\n-4.1,-1e308\n3.9999,0.03\n-39,0\n")
    assert recording.samples.tolist() == [[32767, 32767], [-32768, -32768], [32767, 0], [-32768, 0]]
    said = [str(warning.message) for warning in warned]
    assert [text.startswith(f"{tmp_path / 'recordings.toml'}: ") for text in said] == [True, True]
    assert "2 values of aX are beyond what the sensor can measure (4 g) and are clipped" in said[0]
    assert "1 values of gX" in said[1]


def test_full_scale_is_no_reason_for_a_warning(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    load(tmp_path, "aX,gX\n4,2000\n-4,-2000\n")
    assert not list(recwarn)


def test_row_labels_label_windows_by_majority(tmp_path: Path) -> None:
    rows = "".join(f"1,99,{label}\n" for label in ["", "flex", "flex", "", "punch", "punch", "punch"])
    (recording,) = load(tmp_path, "aX,gX,what\n" + rows, file='label_column = "what"')
    assert recording.row_labels == [None, "flex", "flex", None, "punch", "punch", "punch"]
    assert recording.window_labels(3, 2) == ["flex", None, "punch"]


def test_a_label_holds_for_every_window(tmp_path: Path) -> None:
    (recording,) = load(tmp_path, "aX,gX\n" + "1,99\n" * 7, file='label = "punch"')
    assert recording.window_labels(3, 2) == ["punch"] * 3


@pytest.mark.filterwarnings("ignore:.*is the unit right")
@given(
    samples=st.lists(
        st.lists(st.tuples(*[st.integers(-32768, 32767)] * 2), min_size=1, max_size=5), min_size=1, max_size=4
    ),
    swapped=st.booleans(),
    newline=st.sampled_from(["\n", "\r\n"]),
)
def test_counts_survive_four_decimals(
    tmp_path_factory: pytest.TempPathFactory, samples: list[list[tuple[int, int]]], swapped: bool, newline: str
) -> None:
    def row(accel: int, gyro: int) -> str:
        cells = [f"{accel / 8192:.4f}", f"{gyro / 16.4:.2f}"]
        return ",".join(reversed(cells) if swapped else cells)

    blocks = ["".join(row(*pair) + newline for pair in block) for block in samples]
    csv = ("gX,aX" if swapped else "aX,gX") + newline + newline.join(blocks)
    recordings = load(tmp_path_factory.mktemp("round-trip"), csv)
    assert [list(map(tuple, recording.samples.tolist())) for recording in recordings] == samples


def external(name: str, tmp_path: Path, manifest: str) -> Path:
    source = EXTERNAL / name
    if not source.is_dir():
        pytest.skip(f"{source} does not exist")
    for file in source.glob("*.csv"):
        (tmp_path / file.name).symlink_to(file)
    (tmp_path / "recordings.toml").write_text(f'schema = "hil-recordings/1"\n{manifest}')
    return tmp_path


@pytest.mark.external
def test_recordings_of_a_nano_33_ble_sense(tmp_path: Path) -> None:
    directory = external(
        "punch-uppercut",
        tmp_path,
        """
        sample_rate_hz = 100.0
        [[files]]
        path = "punch.csv"
        label = "punch"
        [[files]]
        path = "upper_cut.csv"
        label = "upper_cut"
        """,
    )
    channels = [Channel(f"a{axis}", "g", 8192.0, -4.0, 4.0) for axis in "XYZ"]
    channels += [Channel(f"g{axis}", "dps", 16.4, -2000.0, 2000.0) for axis in "XYZ"]
    recordings = load_recordings(directory, channels, minimum_rows=119)
    assert [recording.label for recording in recordings] == ["punch"] * 17 + ["upper_cut"] * 18
    assert {recording.samples.shape for recording in recordings} == {(119, 6)}
    assert recordings[0].samples[0].tolist() == [-3170, -11026, 10166, 19, 745, 138]


@pytest.mark.external
def test_recordings_of_the_magic_wand(tmp_path: Path) -> None:
    directory = external(
        "magic-wand",
        tmp_path,
        """
        sample_rate_hz = 25.0
        [columns]
        aX = {name = "x", unit = "mg"}
        aY = {name = "y", unit = "mg"}
        aZ = {name = "z", unit = "mg"}
        [[files]]
        path = "*.csv"
        """,
    )
    channels = [Channel(f"a{axis}", "g", 8192.0, -4.0, 4.0) for axis in "XYZ"]
    recordings = load_recordings(directory, channels, minimum_rows=128)
    assert {recording.name: recording.samples.shape for recording in recordings} == {
        "ring": (128, 3),
        "slope": (128, 3),
    }
    assert recordings[0].samples[-1].tolist() == [-5194, 1810, 6447]


@pytest.mark.parametrize("absolute", [True, False])
def test_files_may_lie_outside_the_folder(tmp_path: Path, absolute: bool) -> None:
    for name in "session1/a.csv", "session2/a.csv":
        (tmp_path / "data" / name).parent.mkdir(parents=True)
        (tmp_path / "data" / name).write_text(PLAIN)
    (tmp_path / "set").mkdir()
    manifest = write_recordings(tmp_path / "set", PLAIN) / "recordings.toml"
    outside = f"{tmp_path if absolute else '..'}/data/*/a.csv"
    manifest.write_text(manifest.read_text().replace("data.csv", outside))
    recordings = load_recordings(tmp_path / "set", CHANNELS)
    assert [recording.name for recording in recordings] == ["session1/a", "session2/a"]
    manifest.write_text(manifest.read_text().replace("*/a.csv", "session1/a.csv"))
    assert [recording.name for recording in load_recordings(tmp_path / "set", CHANNELS)] == ["a"]


def test_files_of_the_same_name_in_two_folders_stay_apart(tmp_path: Path) -> None:
    write_recordings(tmp_path, PLAIN, file="[[files]]\npath = '*/walk.csv'")
    for folder in ("anna", "bert"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "walk.csv").write_text(PLAIN)
    groups = by_file(load_recordings(tmp_path, CHANNELS))
    assert {file: [each.name for each in group] for file, group in groups.items()} == {
        "data.csv": ["data"],
        "anna/walk.csv": ["anna/walk"],
        "bert/walk.csv": ["bert/walk"],
    }
