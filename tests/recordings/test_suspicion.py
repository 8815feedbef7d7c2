"""Values that do not fit the sensor cause warnings; an ordinary session does not."""

import warnings
from pathlib import Path

import pytest
from support.recordings_helpers import write_recordings
from tflm_hil.recordings import Channel, load_recordings

ACCELERATION = [Channel(f"a{axis}", "g", 8192.0, -4.0, 4.0) for axis in "XYZ"]
GYRO = [Channel("gX", "dps", 16.4, -2000.0, 2000.0)]
RAW = [Channel(f"m{axis}", "raw", 1.0, -2000.0, 2000.0) for axis in "XYZ"]
MOVING = "0.1,-0.2,0.98,200\n-0.4,0.2,1.3,-150\n"
STILL = "0.01,-0.02,0.99,0.3\n0.02,-0.01,1.0,-0.2\n"
HEADER = "aX,aY,aZ,gX\n"


def suspicions(directory: Path, csv: str, channels: list[Channel], manifest: str = "") -> list[str]:
    write_recordings(directory, csv, manifest)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        load_recordings(directory, channels)
    return [str(warning.message).removeprefix(f"{directory}/recordings.toml: ") for warning in caught]


@pytest.mark.parametrize("rows", [MOVING, f"{MOVING}\n{STILL}", f"{STILL}\n{MOVING}"])
def test_an_ordinary_session_is_not_suspicious(tmp_path: Path, rows: str) -> None:
    assert suspicions(tmp_path, HEADER + rows, [*ACCELERATION, *GYRO]) == []


def test_decimals_in_raw_counts(tmp_path: Path) -> None:
    said = suspicions(tmp_path, "mX,mY,mZ\n0.25,-0.49,500\n0.30,0.40,-400\n", RAW)
    assert said[:2] == [
        f"{name}: rounding to counts removes more than half of the variation in data; are its unit and lsb_per_unit "
        "right?"
        for name in ("mX", "mY")
    ]


def test_rounding_is_reported_once_per_channel(tmp_path: Path) -> None:
    said = suspicions(tmp_path, "mX,mY,mZ\n" + "0.2,50,50\n0.4,60,50\n\n" * 3, RAW)
    assert said[0].startswith(
        "mX: rounding to counts removes more than half of the variation in 3 recordings (the first"
    )


def test_counts_with_decimals_that_do_not_matter(tmp_path: Path) -> None:
    assert suspicions(tmp_path, "mX,mY,mZ\n100.25,-50.49,500\n-80.3,70.40,-400\n", RAW) == []


def test_g_declared_as_mg(tmp_path: Path) -> None:
    units = "".join(f'[columns.a{axis}]\nunit = "mg"\n' for axis in "XYZ")
    said = suspicions(tmp_path, HEADER + MOVING, [*ACCELERATION, *GYRO], units)
    assert "aX, aY, aZ never exceed 1% of their range in any recording; is the unit right?" in said


def test_one_file_of_several_in_another_unit_shows_no_gravity(tmp_path: Path) -> None:
    faint = "0.0001,-0.0002,0.00098,200\n-0.0004,0.0002,0.0013,-150\n"
    said = suspicions(tmp_path, f"{HEADER}{MOVING}\n{faint}", [*ACCELERATION, *GYRO])
    assert said[-1] == (
        "aX, aY, aZ never exceed 1% of their range in data/002, but gravity is always present; is the unit right?"
    )


def test_radians_declared_as_degrees(tmp_path: Path) -> None:
    rows = "0.1,-0.2,0.98,3.5\n-0.4,0.2,1.3,-2.6\n"
    said = suspicions(tmp_path, HEADER + rows, [*ACCELERATION, *GYRO])
    assert said == ["gX never exceeds 1% of its range in any recording; is the unit right?"]


@pytest.mark.parametrize("unit", ["g", "m/s^2"])
def test_an_accelerometer_without_a_range_still_shows_gravity(tmp_path: Path, unit: str) -> None:
    channels = [Channel(f"a{axis}", unit, 256.0, normalize="none") for axis in "XYZ"]
    rows = "0.1,-0.2,0.98\n-0.4,0.2,1.3\n" if unit == "g" else "1,-2,9.8\n-4,2,13\n"
    header = "aX,aY,aZ\n"
    assert suspicions(tmp_path, header + rows, channels) == []
    wrong = "".join(f'[columns.a{axis}]\nunit = "m{unit}"\n' for axis in "XYZ")
    assert "aX, aY, aZ never exceed 1% of their range in any recording; is the unit right?" in suspicions(
        tmp_path, header + rows, channels, wrong
    )
