"""A manifest of a model, and the folder around it."""

from __future__ import annotations

from pathlib import Path

MANIFEST = """\
schema = "hil-model/1"
name = "wave"
labels = ["up", "down"]
window = 30
stride = 5
sample_rate_hz = 50
recordings = "waves"

[[channels]]
name = "aX"
unit = "g"
lsb_per_unit = 8192
minimum = -4
maximum = 4

[variants.int8]
file = "wave.tflite"
[variants.int8.budgets.stm32f4.aot]
flash_bytes = 1000
"""


def write_model(root: Path, manifest: str = MANIFEST, folder: str = "wave") -> Path:
    directory = root / "models" / folder
    directory.mkdir(parents=True)
    (directory / "model.toml").write_text(manifest)
    (directory / "wave.tflite").write_bytes(b"network")
    return directory
