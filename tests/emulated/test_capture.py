"""`hil capture` at the serial port of an emulated Uno, on which our sketch reads an emulated MPU6050."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from support.hil_command import hil
from support.uno import PRETRIGGER_ROWS, STILL, emulated_uno, session
from tflm_hil.models.manifest import Channel
from tflm_hil.recordings import load_recordings
from tflm_hil.recordings.manifest import load_manifest


def test_what_the_sensor_sensed_is_what_is_recorded(tmp_path: Path) -> None:
    moved = np.random.default_rng(1).integers(-20_000, 20_000, (25, 6), dtype=np.int16)
    with emulated_uno(session([moved])) as port:
        done = hil("capture", "--port", port, "--label", "punch", "--count", "1", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "recordings" / "gestures"
    channels = [
        Channel(name, unit, sensor="MPU6050", range=full_scale, normalize="none")
        for unit, full_scale, names in (("g", 4, "aX aY aZ"), ("dps", 2000, "gX gY gZ"))
        for name in names.split()
    ]
    (recording,) = load_recordings(folder, channels)
    assert recording.samples.tolist() == [STILL.tolist()] * PRETRIGGER_ROWS + moved.tolist()
    sensor = load_manifest(folder).sensor
    assert sensor is not None
    assert sensor.offsets == STILL.tolist()
