"""Wrong recordings and manifests get one line that says what is wrong, where, and how to mend it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.recordings_helpers import CHANNELS, write_recordings
from tflm_hil.errors import HilError
from tflm_hil.recordings import load_recordings

PLAIN = "aX,gX\n0.5,100\n-1,-20.5\n"
SENSOR = "[sensor]\nname = 'MPU6050'\naccelerometer_range_g = 4\ngyroscope_range_dps = 2000\n"


@pytest.mark.parametrize(
    ("csv", "manifest", "file", "message"),
    [
        pytest.param("", "", "", "data.csv: is empty", id="empty"),
        pytest.param("\n \n", "", "", "data.csv: is empty", id="blank"),
        pytest.param("aX,gX\n", "", "", "data.csv: has a header but no rows", id="header-only"),
        pytest.param("aX\n1\n", "", "", "data.csv:1: there is no column 'gX' in aX;", id="missing-column"),
        pytest.param("aX,gX,aX\n1,2,3\n", "", "", "data.csv:1: there are 2 columns 'aX'", id="column-twice"),
        pytest.param("1,2\n3,4\n", "", "", "data.csv:1: is not a header;", id="header-forgotten"),
        pytest.param("1,2\n", 'names = ["aX", "gY"]', "", "there is no column 'gX' in aX, gY;", id="wrong-names"),
        pytest.param("aX,gX\n1,2\n\n1,left\n", "", "", "data.csv:4: column gX holds 'left', which is not", id="word"),
        pytest.param("aX,gX\n1,\n", "", "", "data.csv:2: column gX holds '', which is not a number", id="empty-cell"),
        pytest.param("aX,gX\n1_0,2\n", "", "", "data.csv:2: column aX holds '1_0', which is not", id="underscore"),
        pytest.param("aX,gX\n1,nan\n", "", "", "data.csv:2: column gX holds nan, which is not finite", id="nan"),
        pytest.param("aX,gX\n-inf,1\n", "", "", "data.csv:2: column aX holds -inf, which is not finite", id="infinity"),
        pytest.param("aX,gX\n1,2\n1,2,3\n", "", "", "data.csv:3: has 3 cells, but there are 2 columns", id="ragged"),
        pytest.param("aX,gX\n0,5,1,0\n", "", "", "the surplus cells, and write decimals with dots", id="two-commas"),
        pytest.param('aX,gX\n"0,5",1\n', "", "", "holds '0,5', which is not a number; write decimals", id="comma"),
        pytest.param("aX,gX\n1\n", "", "", "data.csv:2: has 1 cells, but there are 2 columns", id="cut-off"),
        pytest.param(PLAIN.encode("utf-16"), "", "", "data.csv: is not UTF-8 (byte 0); save it", id="utf-16"),
        pytest.param(b"aX,gX\n1,\xb0\n", "", "", "data.csv: is not UTF-8 (byte 8); save it", id="latin-1"),
        pytest.param("aX,gX\n" + "1" * 200_000, "", "", "data.csv:2: is not CSV", id="endless-cell"),
        pytest.param("aX;gX\n0,5;1,0\n", "", "", "data.csv:1: cells are separated by semicolons;", id="semicolons"),
        pytest.param('"aX";"gX"\n1;2\n', "", "", "data.csv:1: cells are separated by semicolons;", id="quoted-names"),
        pytest.param("sep=,\naX,gX\n1,2\n", "", "", "data.csv:1: sep= is for spreadsheets; delete", id="sep"),
        pytest.param(PLAIN.encode("utf-16-le"), "", "", "data.csv: is not UTF-8, but looks like UTF-16;", id="no-bom"),
        pytest.param("aX\tgX\n1\t2\n", "", "", "data.csv:1: cells are separated by tabs;", id="tabs"),
        pytest.param("\naX|gX\n1|2\n", "", "", "data.csv:2: cells are separated by vertical bars;", id="bars"),
        pytest.param("1 2\n3 4\n", 'names = ["aX", "gX"]', "", "separated by spaces;", id="spaces-without-header"),
        pytest.param("0,5;1,0;2\n", 'names = ["aX", "gX", "b"]', "", "separated by semicolons", id="decimal-commas"),
        pytest.param('aX,gX\n1,2\n"1,2\n1,2\n', "", "", "data.csv:3: has a quote that is not closed", id="quote"),
        pytest.param('aX,gX\n1,2\n1,"2', "", "", "data.csv:3: has a quote that is not closed", id="last-quote"),
        pytest.param('aX,gX\n1,"2"3\n', "", "", "data.csv:2: has a quote that is not closed", id="quote-in-cell"),
        pytest.param(f"aX,gX\n1,{'z' * 5000}\n", "", "", f"holds '{'z' * 57}...', which is not", id="long-cell"),
        pytest.param(",".join(f"c{n}" for n in range(999)) + "\n1\n", "", "", "c12, c1...; correct", id="long-header"),
        pytest.param(
            PLAIN, "[columns]\naX = {unit = 'gg'}", "", "aX: unit 'gg' is unknown; use one such as g, mg", id="unit"
        ),
        pytest.param(PLAIN, "[columns]\naX = {unit = ''}", "", "length >= 1 - at `$.columns.aX.unit`", id="no-unit"),
        pytest.param(PLAIN, "[columns]\naX = {unit = 'dps'}", "", "aX: dps cannot be converted to g", id="quantity"),
        pytest.param(
            PLAIN, "[columns]\naY = {unit = 'g'}", "", "[columns] names aY, which the model does not", id="map"
        ),
        pytest.param(
            "aX,gX\n1,2\n3,4\n", "", "rows = 3", "data.csv:2: the last recording has 2 of 3 rows", id="left-over"
        ),
        pytest.param(PLAIN, "", "label_column = 'what'", "data.csv:1: there is no column 'what'", id="no-label-column"),
        pytest.param(PLAIN, "", "label = 'a'\nlabel_column = 'b'", "exclude each other", id="two-kinds-of-label"),
        pytest.param(PLAIN, "time_column = 't'", "", "data.csv:1: there is no column 't'", id="no-time-column"),
        pytest.param(
            "aX,gX,t\n1,2,0\n1,2,10\n",
            "time_column = 't'\ntime_unit = 'ms'",
            "",
            "rows come at 100 Hz",
            id="other-rate",
        ),
        pytest.param(PLAIN, "sample_rate = 50", "", "unknown field `sample_rate`", id="unknown-key"),
        pytest.param(PLAIN, "seed = 'x'", "", "Expected `int | null`, got `str` - at `$.seed`", id="wrong-type"),
        pytest.param(PLAIN, "= 3", "", "recordings.toml: is not TOML", id="not-toml"),
        pytest.param(PLAIN, SENSOR.replace("4", "5"), "", "MPU6050 has no range of 5 g; use one of 2, 4", id="range"),
        pytest.param(PLAIN, SENSOR.replace("6050", ""), "", "sensor 'MPU' is unknown; use one of", id="sensor"),
        pytest.param(PLAIN, f"{SENSOR}offsets = [1, 2]", "", "2 offsets; give one for each of the 6", id="offsets"),
    ],
)
def test_bad_input_gets_one_line(tmp_path: Path, csv: str | bytes, manifest: str, file: str, message: str) -> None:
    with pytest.raises(HilError) as raised:
        load_recordings(write_recordings(tmp_path, csv, manifest, file), CHANNELS)
    said = str(raised.value)
    assert message in said
    assert said.startswith(str(tmp_path))
    assert "\n" not in said
    assert ";" in said, "no remedy"


@given(csv=st.binary(max_size=60) | st.text('aXgX,\n\r"1.- ', max_size=60).map(lambda text: f"aX,gX\n{text}".encode()))
def test_any_bytes_load_or_get_one_line(tmp_path_factory: pytest.TempPathFactory, csv: bytes) -> None:
    directory = write_recordings(tmp_path_factory.mktemp("any"), csv)
    try:
        recordings = load_recordings(directory, CHANNELS)
    except HilError as error:
        message = str(error)
    else:
        message = ""
        assert all(len(recording.samples) for recording in recordings)
    assert "\n" not in message


def test_a_recording_must_fill_a_window(tmp_path: Path) -> None:
    write_recordings(tmp_path, "aX,gX\n1,2\n3,4\n\n1,2\n")
    with pytest.raises(HilError, match=r"data\.csv:5: the recording has 1 rows, but a window has 2; record longer"):
        load_recordings(tmp_path, CHANNELS, minimum_rows=2)


def test_a_rate_is_a_number(tmp_path: Path) -> None:
    write_recordings(tmp_path, PLAIN)
    manifest = tmp_path / "recordings.toml"
    manifest.write_text(manifest.read_text().replace("50.0", "inf"))
    with pytest.raises(HilError, match=r"sample_rate_hz"):
        load_recordings(tmp_path, CHANNELS)


@pytest.mark.parametrize("path", ["none.csv", "*.tsv", "/none.csv", "../x.csv", "a**b", ".", "*.toml", "x" * 5000])
def test_a_path_must_match_something(tmp_path: Path, path: str) -> None:
    write_recordings(tmp_path, PLAIN)
    manifest = tmp_path / "recordings.toml"
    manifest.write_text(manifest.read_text().replace("data.csv", path))
    with pytest.raises(HilError, match="no file matches path"):
        load_recordings(tmp_path, CHANNELS)


def test_a_file_must_not_be_listed_twice(tmp_path: Path) -> None:
    write_recordings(tmp_path, PLAIN, file='[[files]]\npath = "*.csv"')
    with pytest.raises(HilError, match="two recordings are called data;"):
        load_recordings(tmp_path, CHANNELS)


def test_no_manifest(tmp_path: Path) -> None:
    with pytest.raises(HilError, match=r"recordings\.toml: cannot be read \(No such file or directory\); create it"):
        load_recordings(tmp_path, CHANNELS)
