"""An MPU6050 on a moving arm, by its data sheet.

Numbers come from two documents: [PS] InvenSense, MPU-6000 and MPU-6050 Product Specification, PS-MPU-6000A-00, revision
3.4; [RM] MPU-6000 and MPU-6050 Register Map and Descriptions, RM-MPU-6000A-00, revision 4.2.
"""

import numpy as np
from numpy.typing import NDArray

from recordings.simulation.movements import INTERNAL_HZ, Arm, Floats

Counts = NDArray[np.int16]

RATE_HZ = 50
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


def samples_for(rows: int) -> int:
    """Return the number of internal samples for `rows` rows, including those that fill the filter."""
    return (rows - 1) * INTERNAL_HZ // RATE_HZ + FILTER_TAPS
