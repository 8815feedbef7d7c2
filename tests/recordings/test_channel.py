"""The normalization of channels, and the counts per unit of sensors."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from tflm_hil.models.preprocess import Quantization, prepare
from tflm_hil.recordings.channel import Channel
from tflm_hil.recordings.sensors import SENSORS


def seen(channel: Channel, counts: list[int]) -> list[float]:
    raw = np.array(counts, np.int16).reshape(1, -1, 1)
    values: list[float] = prepare(raw, [channel], Quantization(np.dtype(np.float32))).ravel().tolist()
    return values


def test_z_scores() -> None:
    channel = Channel("aX", "g", lsb_per_unit=100.0, mean=1.0, std=0.5)
    assert seen(channel, [100, 150, 50, 0]) == [0.0, 1.0, -1.0, -2.0]


def test_values_and_counts_without_normalization() -> None:
    assert seen(Channel("aX", "g", lsb_per_unit=128.0, normalize="none"), [64, -256]) == [0.5, -2.0]
    assert seen(Channel("aX", "g", lsb_per_unit=128.0, normalize="counts"), [64, -256]) == [64.0, -256.0]
    assert seen(Channel("aX", "raw", normalize="none"), [64, -256]) == [64.0, -256.0]


# From the data sheets that harness/tflm_hil/recordings/sensors.py names.
@pytest.mark.parametrize(
    ("sensor", "unit", "full_scale", "lsb"),
    [
        ("MPU6050", "g", 4, 8192.0),
        ("MPU6050", "dps", 2000, 16.4),
        ("ICM-20948", "g", 16, 2048.0),
        ("ICM-20948", "dps", 500, 65.5),
        ("LSM9DS1", "g", 8, 1000 / 0.244),
        ("LSM9DS1", "g", 16, 1000 / 0.732),
        ("LSM9DS1", "dps", 245, 1000 / 8.75),
        ("LSM6DSOX", "g", 16, 1000 / 0.488),
        ("LSM6DSOX", "dps", 125, 1000 / 4.375),
        ("BMI270", "g", 8, 4096.0),
        ("BMI270", "dps", 2000, 16.384),
        ("ADXL345", "g", 16, 256.0),
        ("ADXL345-10bit", "g", 16, 32.0),
        ("MPU6050", "mg", 4, 8.192),
        ("MPU6050", "m/s^2", 4, 8192 / 9.80665),
        ("MPU6050", "rad/s", 250, 131 * 180 / np.pi),
    ],
)
def test_sensors_of_the_data_sheets(sensor: str, unit: str, full_scale: float, lsb: float) -> None:
    channel = Channel("x", unit, sensor=sensor, range=full_scale, normalize="none")
    assert channel.lsb_per_unit == pytest.approx(lsb, rel=1e-6)
    assert msgspec.structs.replace(channel, name="y").lsb_per_unit == channel.lsb_per_unit


def test_every_range_fits_into_16_bits() -> None:
    for sensor, quantities in SENSORS.items():
        for ranges in quantities.values():
            for full_scale, lsb in ranges.items():
                # ST leaves headroom of up to a fifth above the range; +-16 g of LSM9DS1 has more.
                assert full_scale * lsb <= 32800, sensor
                assert full_scale * lsb > 21800 or sensor.startswith("ADXL345")


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"unit": "dps", "sensor": "ADXL345", "range": 2.0}, "ADXL345 measures g, not dps; correct unit or sensor"),
        ({"unit": "raw", "sensor": "MPU6050", "range": 2.0}, "raw counts has lsb_per_unit 1 and no sensor; leave out"),
        ({"unit": "g", "range": 2.0}, "sensor and range go together"),
        ({"unit": "g"}, "lsb_per_unit must be a number above 0"),
        ({"unit": "g", "lsb_per_unit": 1.0, "mean": 1.0}, "normalization is mean and normalize"),
    ],
)
def test_contradictions_are_refused(keys: dict[str, object], said: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=said):
        msgspec.convert({"name": "x", "normalize": "none", **keys}, Channel)


@pytest.mark.parametrize("std", [0.0, -1.0, float("nan"), float("inf"), 1e-44])
def test_a_deviation_that_the_device_cannot_divide_by_is_refused(std: float) -> None:
    with pytest.raises(ValueError, match=r"std finite and above 0|too narrow or too wide for float32"):
        Channel("x", "raw", mean=0.0, std=std)
