"""Write recordings for tests of their loading."""

from pathlib import Path

from tflm_hil.recordings import Channel

CHANNELS = [
    Channel("aX", "g", 8192.0, -4.0, 4.0),
    Channel("gX", "dps", 16.4, -2000.0, 2000.0),
]


def write_recordings(directory: Path, csv: str | bytes, manifest: str = "", file: str = "") -> Path:
    """Write a CSV file and its manifest, with more lines for the manifest's head (`manifest`) and table (`file`)."""
    content = csv if isinstance(csv, bytes) else csv.encode()
    (directory / "data.csv").write_bytes(content)
    (directory / "recordings.toml").write_text(
        f'schema = "hil-recordings/1"\nsample_rate_hz = 50.0\n{manifest}\n[[files]]\npath = "data.csv"\n{file}\n'
    )
    return directory
