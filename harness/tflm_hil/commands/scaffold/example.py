"""The model of a project whose owner has none yet."""

from __future__ import annotations

from tflm_hil.commands.scaffold import texts, wave
from tflm_hil.commands.scaffold.fitting import Scaling, Windows
from tflm_hil.commands.scaffold.parts import Parts
from tflm_hil.recordings.manifest import MANIFEST, Files, Manifest


def parts() -> Parts:
    """A network that is small enough for every target, with recordings that nobody made."""
    windows = Windows(wave.WINDOW, len(wave.CHANNELS), "channels-last")
    channels = [(name, Scaling("g", 8192.0, {"minimum": -4.0, "maximum": 4.0})) for name in wave.CHANNELS]
    sensor = texts.Sensor(windows, wave.STRIDE, wave.SAMPLE_RATE_HZ, "wave", wave.LABELS, channels)
    recordings = wave.recordings()
    manifest = Manifest(
        schema="hil-recordings/1",
        sample_rate_hz=wave.SAMPLE_RATE_HZ,
        files=[Files(f"{label}.csv", label) for label in recordings],
        description="Synthetic: a hand that waves and one that does not. Nobody moved.",
        simulated=True,
    )
    return Parts(
        "model wave, an example: is a hand waving?",
        {
            "models/wave/model.toml": texts.model_toml("wave", "wave_int8.tflite", "int8", sensor),
            "models/wave/wave_int8.tflite": wave.network(),
            f"recordings/wave/{MANIFEST}": texts.recordings_toml(manifest),
            **{f"recordings/wave/{label}.csv": text for label, text in recordings.items()},
        },
    )
