"""Recordings that nobody made, for a network that came without."""

from __future__ import annotations

import numpy as np

from tflm_hil.commands.scaffold import texts
from tflm_hil.commands.scaffold.fitting import Windows, scaling
from tflm_hil.commands.scaffold.survey import GUESSED_RATE_HZ, Signal
from tflm_hil.models.tflite_file import Graph
from tflm_hil.recordings.manifest import MANIFEST, Files, Manifest
from tflm_hil.recordings.units import RAW

WINDOWS = 12
AMPLITUDE, NOISE = 20000, 3000
LOWEST, HIGHEST = -32768, 32767


def recordings(name: str, graph: Graph, windows: Windows) -> tuple[texts.Sensor, dict[str, str], tuple[str, ...]]:
    """The sensor of model `name`, the files of its recordings by their paths in the project, and what is a guess.

    They use the whole range of a sensor and of the network's input.
    """
    stride = max(1, windows.rows // 2)
    names = [f"ch{number}" for number in range(1, windows.channels + 1)]
    time = np.arange(windows.rows + (WINDOWS - 1) * stride)[:, None] / GUESSED_RATE_HZ
    frequencies = 1 + np.arange(windows.channels) / 4
    noise = np.random.default_rng(1).normal(0, NOISE, (len(time), windows.channels))
    counts = np.clip(np.rint(AMPLITUDE * np.sin(2 * np.pi * frequencies * time) + noise), LOWEST, HIGHEST)
    rows = [",".join(names), *(",".join(map(str, row)) for row in counts.astype(int).tolist())]
    manifest = Manifest(
        schema="hil-recordings/1",
        sample_rate_hz=GUESSED_RATE_HZ,
        files=[Files("synthetic.csv")],
        description="Synthetic: sine waves with noise, in counts of a sensor. They say nothing about accuracy.",
        simulated=True,
    )
    source = graph.tensors[graph.inputs[0]]
    scale = scaling(Signal("", RAW, float(LOWEST), float(HIGHEST), whole=True), source)
    return (
        texts.Sensor(windows, stride, GUESSED_RATE_HZ, name, (), [(channel, scale) for channel in names]),
        {
            f"recordings/{name}/{MANIFEST}": texts.recordings_toml(manifest),
            f"recordings/{name}/synthetic.csv": "\n".join(rows) + "\n",
        },
        (
            f"{windows.rows} rows of {windows.channels} channels; the shape of its input says so",
            f"sample_rate_hz = {GUESSED_RATE_HZ:g}, names and scales of channels; nothing says what the sensor is",
        ),
    )
