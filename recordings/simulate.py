"""Write a set of simulated recordings: `python -m recordings.simulate SET` writes the files in recordings/SET again.

Nobody moved an arm for these files: movements are smooth curves, and the sensor is modelled by its data sheet. Each
recording simulates another person and another sensor.

The same seed gives the same files if NumPy draws the same random numbers. All releases since 1.17 do, but NumPy does
not guarantee it for `Generator`. The last bit of floating-point results may differ between machines; because every
value is rounded to a count of the sensor, the chance that a file differs is below one in a thousand.
"""

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recordings.simulation.movements import ADD, INTERNAL_HZ, resting_arm
from recordings.simulation.sensor import ACCEL_LSB_PER_G, GYRO_LSB_PER_DPS, RATE_HZ, Counts, record, samples_for

SEED = 6050
"""The seed of the committed files. Training must use other seeds."""
SESSION_ROWS = 30
CONTINUOUS_ROWS = 2000
COLUMNS = ("aX", "aY", "aZ", "gX", "gY", "gZ")
IDLE = "idle"
"""The label of rows in which the arm rests."""


@dataclass(frozen=True)
class Set:
    """The gestures of a set, and how many recordings the committed files have: single gestures, and continuous ones."""

    gestures: tuple[str, ...]
    sessions: int
    continuous: int


SETS = {
    "gesture": Set(("punch", "flex"), 60, 3),
    "five_gestures": Set(tuple(ADD), 12, 3),
}


def simulate_session(rng: np.random.Generator, gesture: str) -> Counts:
    """Return one gesture, int16[SESSION_ROWS, 6], from its first movement on; each has another person and sensor."""
    arm = resting_arm(rng, samples_for(SESSION_ROWS))
    ADD[gesture](rng, arm, int(rng.integers(20, 120)))
    return record(rng, arm)


def simulate_continuous(rng: np.random.Generator, rows: int, gestures: Sequence[str]) -> tuple[Counts, list[str]]:
    """Return gestures with pauses of 0.6 to 1.8 s: int16[rows, 6], and the label of each row.

    A row of a movement that is not part of the gesture, such as the arm that is lowered afterwards, has no label: "".
    """
    length = samples_for(rows)
    arm = resting_arm(rng, length)
    labels = [IDLE] * rows
    start = int(rng.integers(600, 1800))
    while start + 1500 < length:
        gesture = gestures[int(rng.integers(len(gestures)))]
        active, busy = ADD[gesture](rng, arm, start)
        first, last, end = (-(-at * RATE_HZ // INTERNAL_HZ) for at in (start, start + active, start + busy))
        labels[first:end] = [gesture] * (last - first) + [""] * (end - last)
        start += busy + int(rng.integers(600, 1800))
    return record(rng, arm), labels


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


MANIFEST = """\
schema = "hil-recordings/1"
description = \"\"\"
Arm gestures of an MPU6050 on the forearm: {gestures}. Nobody moved. recordings/simulate.py computes all rows
from smooth curves and the data sheet of the sensor; each recording simulates another person and another sensor.\"\"\"
simulated = true
seed = {seed}
sample_rate_hz = {rate}

[sensor]
name = "MPU6050"
accelerometer_range_g = 4
gyroscope_range_dps = 2000
"""


def manifest_lines(wanted: Set, seed: int, continuous: int) -> Iterable[str]:
    """Return recordings.toml."""
    yield MANIFEST.format(gestures=", ".join(wanted.gestures), seed=seed, rate=float(RATE_HZ))
    for gesture in wanted.gestures:
        yield f'\n[[files]]\npath = "{gesture}.csv"\nlabel = "{gesture}"\n'
    for number in range(1, continuous + 1):
        yield f'\n[[files]]\npath = "continuous_{number}.csv"\nlabel_column = "label"\n'


def main() -> None:
    """Write one file for each gesture, continuous_1.csv and so on, and recordings.toml."""
    parser = argparse.ArgumentParser(description="Simulate MPU6050 recordings of arm gestures.")
    parser.add_argument("name", choices=SETS, metavar="SET", help=f"one of {', '.join(SETS)}")
    parser.add_argument("--output", type=Path, help="folder (default: that of the committed files)")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--sessions", type=int, help="recordings of each gesture (default: as committed)")
    parser.add_argument("--continuous", type=int, help="files of continuous recordings (default: as committed)")
    arguments = parser.parse_args()
    wanted = SETS[arguments.name]
    sessions = wanted.sessions if arguments.sessions is None else arguments.sessions
    continuous = wanted.continuous if arguments.continuous is None else arguments.continuous
    folder = arguments.output or Path(__file__).parent / arguments.name
    folder.mkdir(parents=True, exist_ok=True)
    header = ",".join(COLUMNS)
    for stream, gesture in enumerate(wanted.gestures):
        rng = np.random.default_rng([arguments.seed, stream])
        blocks = ("".join(csv_lines(simulate_session(rng, gesture))) for _ in range(sessions))
        write(folder / f"{gesture}.csv", [header, "\n", "\n".join(blocks)])
    for number in range(1, continuous + 1):
        rng = np.random.default_rng([arguments.seed, len(wanted.gestures), number])
        samples, labels = simulate_continuous(rng, CONTINUOUS_ROWS, wanted.gestures)
        write(folder / f"continuous_{number}.csv", [header, ",label\n", *csv_lines(samples, labels)])
    write(folder / "recordings.toml", manifest_lines(wanted, arguments.seed, continuous))


if __name__ == "__main__":
    main()
