"""`hil capture` and `hil live` with boards that have a sensor: images are built, and a fake board runs them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from support.device_helpers import checksum
from support.fake_board import image_of, inference_of
from support.fake_device import FakeDevice, Image, Tensor
from support.firmware_helpers import ROOT
from support.hil_command import hil
from support.needs import needs_compiler
from support.pty_device import serving
from support.sketch import counts
from tflm_hil.capture import listening
from tflm_hil.capture.image import capture_model
from tflm_hil.cli.working import build_firmware, session_in
from tflm_hil.configuration import load_configuration
from tflm_hil.models.manifest import load_models
from tflm_hil.recordings import load_recordings

pytestmark = [needs_compiler, pytest.mark.nightly]

TARGET = "stm32f4_mpu6050"
REST = np.tile(np.array([10, -20, 8200, 3, 4, -5], np.int16), (120, 1))


def sensing(*parts: NDArray[np.int16]) -> Callable[[], bytes | str]:
    rows: Iterable[NDArray[np.int16]] = iter(np.concatenate(parts).astype("<i2"))
    return lambda: row.tobytes() if (row := next(iter(rows), None)) is not None else "the sensor is gone"


def test_a_board_without_a_network_is_captured_from(tmp_path: Path) -> None:
    """The image is that of a network that does nothing, and the board runs it already."""
    model = capture_model(tmp_path / ".hil" / "capture")
    firmware = build_firmware(session_in(load_configuration(tmp_path), None, None, TARGET, lone=model), None)
    image = Image(
        window=model.window,
        stride=model.stride,
        channels=6,
        inputs=(Tensor(9, (1, 6), 1.0),),
        outputs=(Tensor(9, (1, 6), 1.0),),
        build_id=firmware.image.build_id,
        model_hash=model.variants["int8"].sha256[:8],
        target=TARGET,
    )
    moved = counts(1)[0]
    device = FakeDevice(image, lambda window: window.astype(np.int8).tobytes(), sense=sensing(REST, moved, REST))
    with serving(device) as port:
        arguments = ["--target", TARGET, "--label", "punch", "--count", "1", "--pre-trigger", "0"]
        done = hil("capture", "--board", port, *arguments, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].startswith("punch 1: 30 rows")


def test_a_board_classifies_what_its_sensor_senses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "LISTEN_S", 0.0)
    model = load_models(ROOT)["gesture"]
    assert model.recordings is not None
    recording = load_recordings(model.recordings, model.channels, model.window)[0]
    session = session_in(load_configuration(ROOT), None, None, TARGET, ("gesture",))
    firmware = build_firmware(session, "int8")
    image = replace(image_of(model, "int8", firmware.image.build_id), target=TARGET)
    device = FakeDevice(image, inference_of(model, "int8"), sense=sensing(recording.samples, REST[:3]))
    with serving(device) as port:
        done = hil("live", "gesture", "--port", port)
    assert done.stderr.splitlines()[-1].endswith("SENSE: failed on the device: the sensor is gone")
    assert done.stdout.splitlines()[0].startswith(f"{port} #0  {recording.label}  ")
    assert " cycles" in done.stdout


def test_a_board_that_cannot_be_flashed_says_what_it_runs(tmp_path: Path) -> None:
    with serving(FakeDevice(Image(), checksum)) as port:
        done = hil("capture", "--board", port, "--target", TARGET, "--label", "punch", cwd=tmp_path)
    assert done.returncode == 1
    assert f"hil: {port} runs build 000102030405, not build" in done.stderr.splitlines()[-1]
