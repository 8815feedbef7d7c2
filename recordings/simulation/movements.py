"""Movements of a forearm: arms at rest, and the gestures that are added to them.

The sensor is on the forearm: x points along it towards the hand, y to the left, z up if the forearm is level.
Strokes follow the minimum-jerk curve of Flash and Hogan, "The coordination of arm movements", J. Neurosci. 5(7), 1985.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

INTERNAL_HZ = 1000
"""The rate at which arms move; also the internal sampling rate of both sensors while the low-pass filter is on, section
4.4 of the register map (recordings/simulation/sensor.py has its full name)."""


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


def add_wave(rng: np.random.Generator, arm: Arm, start: int) -> tuple[int, int]:
    """Swing the forearm left and right two or three times. Return as `add_punch`."""
    period, swings = int(rng.integers(340, 560)), int(rng.integers(2, 4))
    length = period * swings
    angle = np.radians(rng.uniform(12.0, 40.0)) * _swing(arm, start, period, length)
    arm.yaw += rng.choice([-1.0, 1.0]) * angle
    arm.roll += rng.uniform(0.0, 0.3) * angle
    return length, length


def add_circle(rng: np.random.Generator, arm: Arm, start: int) -> tuple[int, int]:
    """Draw one or two circles with the hand, upright and across. Return as `add_punch`."""
    turns = int(rng.integers(1, 3))
    length = turns * int(rng.integers(450, 850))
    radius, way = rng.uniform(0.04, 0.12), rng.choice([-1.0, 1.0])
    turned = 2 * np.pi * turns * stroke(len(arm.roll), start, length)
    arm.position[:, 1] += radius * way * np.sin(turned)
    arm.position[:, 2] += radius * (1.0 - np.cos(turned))
    arm.yaw += np.radians(rng.uniform(5.0, 20.0)) * way * np.sin(turned)
    arm.pitch -= np.radians(rng.uniform(5.0, 20.0)) * (1.0 - np.cos(turned))
    return length, length


def add_twist(rng: np.random.Generator, arm: Arm, start: int) -> tuple[int, int]:
    """Turn the forearm about its axis, as with a key, and back. Return as `add_punch`."""
    out, hold, back = (int(rng.integers(low, high)) for low, high in ((180, 360), (20, 150), (200, 400)))
    shape = stroke(len(arm.roll), start, out) - stroke(len(arm.roll), start + out + hold, back)
    arm.roll += rng.choice([-1.0, 1.0]) * np.radians(rng.uniform(35.0, 110.0)) * shape
    arm.pitch += np.radians(rng.normal(0.0, 5.0)) * shape
    arm.position += rng.normal(0.0, 0.02, 3) * shape[:, None]
    return out + hold + back, out + hold + back


def _swing(arm: Arm, start: int, period: int, length: int) -> Floats:
    """A sine from sample `start` on for `length` samples, which begins and ends gently."""
    ramp = period // 4
    whole = len(arm.roll)
    envelope = stroke(whole, start, ramp) - stroke(whole, start + length - ramp, ramp)
    return envelope * np.sin(2 * np.pi * (np.arange(whole) - start) / period)


ADD: dict[str, Callable[[np.random.Generator, Arm, int], tuple[int, int]]] = {
    "punch": add_punch,
    "flex": add_flex,
    "wave": add_wave,
    "circle": add_circle,
    "twist": add_twist,
}
