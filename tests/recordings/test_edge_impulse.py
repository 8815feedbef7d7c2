"""Recordings in the format of Edge Impulse, and JSON in other formats."""

import json
from pathlib import Path
from typing import Any

import pytest
from support.recordings_helpers import CHANNELS
from tflm_hil.errors import HilError
from tflm_hil.recordings import Recording, load_recordings

SENSORS = [{"name": "gyr", "units": "rad/s"}, {"name": "other", "units": "N/A"}, {"name": "acc", "units": "m/s2"}]
VALUES = [[1.74532925, 0, 4.903325], [-0.35779250, 7, -9.80665]]


def acquisition(**changes: Any) -> str:
    payload = {"device_name": "x", "device_type": "y", "interval_ms": 20, "sensors": SENSORS, "values": VALUES}
    return json.dumps({"protected": {"ver": "v1"}, "signature": "00", "payload": payload | changes})


def load(directory: Path, text: str, file: str = 'label = "wave"', unit: str = "") -> list[Recording]:
    (directory / "wave.json").write_text(text)
    (directory / "recordings.toml").write_text(
        f'schema = "hil-recordings/1"\nsample_rate_hz = 50.0\n[columns]\naX = {{name = "acc"{unit}}}\n'
        f'gX = {{name = "gyr"}}\n[[files]]\npath = "wave.json"\n{file}\n'
    )
    return load_recordings(directory, CHANNELS)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("prefix", ["", " \n", "\ufeff"])
def test_values_come_in_the_units_that_the_file_names(tmp_path: Path, prefix: str) -> None:
    (recording,) = load(tmp_path, prefix + acquisition())
    assert recording.samples.tolist() == [[4096, 1640], [-8192, -336]]
    assert (recording.name, recording.label) == ("wave", "wave")


def test_the_manifest_may_use_another_spelling_of_the_unit(tmp_path: Path) -> None:
    (recording,) = load(tmp_path, acquisition(), unit=', unit = "m/s^2"')
    assert recording.samples[0, 0] == 4096


@pytest.mark.filterwarnings("ignore:.*is the unit right")
def test_one_sensor_may_come_as_plain_numbers(tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text(acquisition(sensors=[{"name": "aX", "units": "g"}], values=[1, 0.5]))
    (tmp_path / "recordings.toml").write_text(
        'schema = "hil-recordings/1"\nsample_rate_hz = 50\n[[files]]\npath = "*.json"\n'
    )
    (recording,) = load_recordings(tmp_path, CHANNELS[:1])
    assert recording.samples.tolist() == [[8192], [4096]]


@pytest.mark.parametrize(
    ("text", "file", "unit", "message"),
    [
        pytest.param('{"a": 1}', "", "", "is JSON, but not in the data acquisition", id="other JSON"),
        pytest.param("[1, 2", "", "", "is JSON, but not in the data acquisition", id="cut off"),
        pytest.param(acquisition(interval_ms=10), "", "", "interval_ms is 10, which is 100 Hz, not the", id="rate"),
        pytest.param(acquisition(interval_ms=0), "", "", "interval_ms is 0", id="no interval"),
        pytest.param(acquisition(values=[]), "", "", "payload.values is empty", id="no values"),
        pytest.param(acquisition(values=[[1, 2, 3], [1]]), "", "", "payload.values[1] has 1 numbers, but", id="ragged"),
        pytest.param(acquisition(values=[[1, None, 3]]), "", "", "is JSON, but not in", id="null"),
        pytest.param(
            acquisition(sensors=SENSORS[:2], values=[[1, 2]]), "", "", "is no sensor 'acc' in gyr", id="sensor"
        ),
        pytest.param(acquisition(), "", ', unit = "mg"', "unit is 'mg', but the file says 'm/s2'", id="unit"),
        pytest.param(acquisition(), 'label_column = "l"', "", "label_column in the manifest is for CSV", id="labels"),
        pytest.param(acquisition(), "rows = 1", "", "rows in the manifest is for CSV", id="rows"),
    ],
)
def test_bad_input_gets_one_line(tmp_path: Path, text: str, file: str, unit: str, message: str) -> None:
    with pytest.raises(HilError) as raised:
        load(tmp_path, text, file, unit)
    assert message in str(raised.value)
    assert ";" in str(raised.value)
    assert "\n" not in str(raised.value)
