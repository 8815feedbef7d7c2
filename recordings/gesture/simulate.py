"""Simulate MPU6050 recordings of two arm gestures, punch and flex. Run this file to write the CSV files beside it.

Nobody moved an arm for these files: movements are smooth curves, and the sensor is modelled by its data sheet. Numbers
come from two documents: [PS] InvenSense, MPU-6000 and MPU-6050 Product Specification, PS-MPU-6000A-00, revision 3.4;
[RM] MPU-6000 and MPU-6050 Register Map and Descriptions, RM-MPU-6000A-00, revision 4.2.

The sensor is on the forearm: x points along it towards the hand, y to the left, z up if the forearm is level.
Strokes follow the minimum-jerk curve of Flash and Hogan, "The coordination of arm movements", J. Neurosci. 5(7), 1985.

The same seed gives the same files if NumPy draws the same random numbers. All releases since 1.17 do, but NumPy does
not guarantee it for `Generator`. The last bit of floating-point results may differ between machines; because every
value is rounded to a count of the sensor, the chance that a file differs is below one in a thousand.
"""

import argparse
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.int16]

SEED = 6050
"""The seed of the committed files. Training must use other seeds."""
SESSIONS = 60
"""The number of sessions in each of punch.csv and flex.csv."""
SESSION_ROWS = 30
CONTINUOUS_FILES = 3
CONTINUOUS_ROWS = 2000
GESTURES = ("punch", "flex")
COLUMNS = ("aX", "aY", "aZ", "gX", "gY", "gZ")

RATE_HZ = 50
INTERNAL_HZ = 1000
"""The internal sampling rate of both sensors while the low-pass filter is on [RM 4.4]."""
GRAVITY = 9.80665

ACCEL_LSB_PER_G = 8192.0
"""With AFS_SEL = 1, full scale +-4 g [PS 6.2]."""
GYRO_LSB_PER_DPS = 16.4
"""With FS_SEL = 3, full scale +-2000 dps [PS 6.1]."""
SENSITIVITY_TOLERANCE = 0.03
"""Relative, for both sensors [PS 6.1, 6.2]."""
CROSS_AXIS = 0.02
"""Cross-axis sensitivity of both sensors [PS 6.1, 6.2]."""
ZERO_G_OFFSET = np.array([0.050, 0.050, 0.080])
"""In g: x and y +-50 mg, z +-80 mg [PS 6.2]."""
ZERO_RATE_OFFSET = 20.0
"""In dps [PS 6.1]."""
ACCEL_NOISE = 400e-6
"""Power spectral density in g / sqrt(Hz) [PS 6.2]."""
GYRO_NOISE = 0.005
"""Rate noise spectral density in dps / sqrt(Hz) [PS 6.1]."""
FILTER_TAPS = 21
"""DLPF_CFG = 4 has a bandwidth of 21 Hz and a delay of 8.5 ms [RM 4.3]; its shape is not published. A moving average of
21 samples at 1 kHz has a bandwidth of 21 Hz (-3 dB) and a delay of 10 ms."""


@dataclass
class Arm:
    """The movement of one session at INTERNAL_HZ: `position` in metres and `roll`, `pitch`, `yaw` in radians."""

    position: Floats
    roll: Floats
    pitch: Floats
    yaw: Floats
    elbow: float
    """The distance from the elbow to the sensor in metres."""


def stroke(length: int, start: int, duration: int) -> Floats:
    """Return a minimum-jerk step from 0 to 1 that begins at sample `start` and takes `duration` samples."""
    t = np.clip((np.arange(length) - start) / duration, 0.0, 1.0)
    return t * t * t * (10.0 + t * (6.0 * t - 15.0))


def resting_arm(rng: np.random.Generator, length: int) -> Arm:
    """Return a roughly level forearm of one person: tilt, slow sway and the tremor of 8 to 12 Hz of every arm."""
    t = np.arange(length) / INTERNAL_HZ

    def sway(amplitude: float, low_hz: float, high_hz: float) -> Floats:
        rate, phase = rng.uniform(low_hz, high_hz), rng.uniform(0.0, 2 * np.pi)
        return amplitude * rng.uniform(0.3, 1.0) * np.sin(2 * np.pi * rate * t + phase)

    position = np.stack([sway(0.004, 0.2, 0.8) + sway(0.00003, 8.0, 12.0) for _ in range(3)], axis=1)
    roll, pitch, yaw = (
        np.radians(rng.normal(0.0, tilt) + sway(2.5, 0.2, 0.9) + sway(0.015, 8.0, 12.0)) for tilt in (12.0, 9.0, 5.0)
    )
    return Arm(position, roll, pitch, yaw, rng.uniform(0.22, 0.31))


def add_punch(rng: np.random.Generator, arm: Arm, start: int) -> tuple[int, int]:
    """Move the hand forward and back. Return (samples of the gesture, samples until the arm is at rest)."""
    reach = rng.uniform(0.28, 0.52)
    out, hold, back = (int(rng.integers(low, high)) for low, high in ((200, 310), (10, 60), (240, 380)))
    shape = stroke(len(arm.roll), start, out) - stroke(len(arm.roll), start + out + hold, back)
    aside, up = np.radians(rng.normal(0.0, 8.0, 2)).tolist()
    direction = np.array([np.cos(aside) * np.cos(up), np.sin(aside) * np.cos(up), np.sin(up)])
    arm.position += reach * shape[:, None] * direction
    arm.roll += np.radians(rng.uniform(10.0, 50.0)) * shape
    arm.pitch += np.radians(rng.normal(0.0, 8.0)) * shape
    arm.yaw += np.radians(rng.normal(0.0, 6.0)) * shape
    return out + hold + back, out + hold + back


def add_flex(rng: np.random.Generator, arm: Arm, start: int) -> tuple[int, int]:
    """Raise the forearm about the elbow by some 90 degrees, hold it and lower it; lowering is not part of the gesture.

    Return (samples of the gesture, samples until the arm is at rest).
    """
    up, hold, down = (int(rng.integers(low, high)) for low, high in ((340, 560), (150, 500), (500, 900)))
    length = len(arm.roll)
    shape = stroke(length, start, up) - stroke(length, start + up + hold, down)
    # A rotation about +y lowers x. So raising the forearm is a negative pitch; it moves gravity from z to x.
    arm.pitch -= np.radians(rng.normal(90.0, 9.0)) * shape
    arm.roll += np.radians(rng.normal(0.0, 12.0)) * shape
    arm.yaw += np.radians(rng.normal(0.0, 6.0)) * shape
    arm.position += rng.normal(0.0, 0.03, 3) * shape[:, None]
    return up, up + hold + down


ADD = {"punch": add_punch, "flex": add_flex}


def ideal_sensor(arm: Arm) -> tuple[Floats, Floats]:
    """Return the values of a perfect sensor on `arm`: specific force in g and angular rate in dps, [length, 3] each.

    Attitude is Rz(yaw) Ry(pitch) Rx(roll); body rates follow from the kinematic equations (for instance Diebel,
    "Representing Attitude: Euler Angles, Unit Quaternions, and Rotation Vectors", 2006).
    """
    sr, cr, sp, cp = np.sin(arm.roll), np.cos(arm.roll), np.sin(arm.pitch), np.cos(arm.pitch)
    sy, cy = np.sin(arm.yaw), np.cos(arm.yaw)
    x = np.stack([cp * cy, cp * sy, -sp], axis=1)
    y = np.stack([sr * sp * cy - cr * sy, sr * sp * sy + cr * cy, sr * cp], axis=1)
    z = np.stack([cr * sp * cy + sr * sy, cr * sp * sy - sr * cy, cr * cp], axis=1)

    step = 1.0 / INTERNAL_HZ
    velocity = np.gradient(arm.position + arm.elbow * x, step, axis=0)
    force = np.gradient(velocity, step, axis=0) / GRAVITY + np.array([0.0, 0.0, 1.0])
    felt = np.stack([(force * axis).sum(axis=1) for axis in (x, y, z)], axis=1)

    roll_rate, pitch_rate, yaw_rate = (np.gradient(angle, step) for angle in (arm.roll, arm.pitch, arm.yaw))
    rate = np.stack(
        [
            roll_rate - yaw_rate * sp,
            pitch_rate * cr + yaw_rate * sr * cp,
            yaw_rate * cr * cp - pitch_rate * sr,
        ],
        axis=1,
    )
    return felt, np.degrees(rate)


def digitize(
    rng: np.random.Generator, ideal: Floats, offset: Floats | float, noise: float, lsb_per_unit: float
) -> Counts:
    """Apply errors, noise, range, filter and rounding of a sensor to `ideal` values; return [rows, 3] at RATE_HZ."""
    mixing = rng.uniform(-CROSS_AXIS, CROSS_AXIS, (3, 3))
    np.fill_diagonal(mixing, 1.0 + rng.uniform(-SENSITIVITY_TOLERANCE, SENSITIVITY_TOLERANCE, 3))
    # White noise of density d, sampled at rate f, has the standard deviation d * sqrt(f / 2).
    sigma = noise * np.sqrt(INTERNAL_HZ / 2)
    analogue = ideal @ mixing.T + rng.uniform(-1.0, 1.0, 3) * offset + sigma * rng.standard_normal(ideal.shape)
    converted = np.clip(analogue * lsb_per_unit, -32768.0, 32767.0)
    spans = np.lib.stride_tricks.sliding_window_view(converted, FILTER_TAPS, axis=0)[:: INTERNAL_HZ // RATE_HZ]
    counts: Counts = np.rint(spans.mean(axis=-1)).astype(np.int16)
    return counts


def record(rng: np.random.Generator, arm: Arm) -> Counts:
    """Return the raw counts [rows, 6] of one MPU6050 on `arm`; row n is sampled after about n / RATE_HZ seconds."""
    force, rate = ideal_sensor(arm)
    accel = digitize(rng, force, ZERO_G_OFFSET, ACCEL_NOISE, ACCEL_LSB_PER_G)
    gyro = digitize(rng, rate, ZERO_RATE_OFFSET, GYRO_NOISE, GYRO_LSB_PER_DPS)
    return np.concatenate([accel, gyro], axis=1)


def simulate_session(rng: np.random.Generator, gesture: str) -> Counts:
    """Return one gesture, int16[SESSION_ROWS, 6], from its first movement on; each has another person and sensor."""
    arm = resting_arm(rng, samples_for(SESSION_ROWS))
    ADD[gesture](rng, arm, int(rng.integers(20, 120)))
    return record(rng, arm)


def simulate_continuous(rng: np.random.Generator, rows: int) -> tuple[Counts, list[str]]:
    """Return gestures with pauses of 0.6 to 1.8 s: int16[rows, 6], and the label of each row ("" for none)."""
    length = samples_for(rows)
    arm = resting_arm(rng, length)
    labels = [""] * rows
    start = int(rng.integers(600, 1800))
    while start + 1500 < length:
        gesture = GESTURES[rng.integers(len(GESTURES))]
        active, busy = ADD[gesture](rng, arm, start)
        first, last = (-(-sample * RATE_HZ // INTERNAL_HZ) for sample in (start, start + active))
        labels[first:last] = [gesture] * (last - first)
        start += busy + int(rng.integers(600, 1800))
    return record(rng, arm), labels


def samples_for(rows: int) -> int:
    """Return the number of internal samples for `rows` rows, including those that fill the filter."""
    return (rows - 1) * INTERNAL_HZ // RATE_HZ + FILTER_TAPS


def csv_lines(samples: Counts, labels: list[str] | None = None) -> Iterable[str]:
    """Return the rows as text in g and dps; with 4 and 2 decimals, the counts can be recovered exactly."""
    for index, row in enumerate(samples):
        accel = ",".join(f"{value / ACCEL_LSB_PER_G:.4f}" for value in row[:3].tolist())
        gyro = ",".join(f"{value / GYRO_LSB_PER_DPS:.2f}" for value in row[3:].tolist())
        yield f"{accel},{gyro}" + (f",{labels[index]}" if labels else "") + "\n"


def write(path: Path, lines: Iterable[str]) -> None:
    """Write `lines` to `path` completely, or leave it unchanged."""
    aside = path.with_suffix(".part")
    aside.write_text("".join(lines), encoding="ascii", newline="\n")
    aside.replace(path)


def main() -> None:
    """Write punch.csv, flex.csv, continuous_1.csv and so on to the folder given on the command line."""
    parser = argparse.ArgumentParser(description="Simulate MPU6050 recordings of punch and flex.")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent, help="folder (default: this one)")
    parser.add_argument("--seed", type=int, default=SEED)
    arguments = parser.parse_args()
    header = ",".join(COLUMNS)
    for stream, gesture in enumerate(GESTURES):
        rng = np.random.default_rng([arguments.seed, stream])
        blocks = ("".join(csv_lines(simulate_session(rng, gesture))) for _ in range(SESSIONS))
        write(arguments.output / f"{gesture}.csv", [header, "\n", "\n".join(blocks)])
    for number in range(1, CONTINUOUS_FILES + 1):
        rng = np.random.default_rng([arguments.seed, len(GESTURES), number])
        samples, labels = simulate_continuous(rng, CONTINUOUS_ROWS)
        write(arguments.output / f"continuous_{number}.csv", [header, ",label\n", *csv_lines(samples, labels)])


if __name__ == "__main__":
    main()
