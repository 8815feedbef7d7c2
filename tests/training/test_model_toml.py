"""model.toml is written for a new model; one that is there keeps every line."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.manifests import MANIFEST, write_model
from support.movement_sets import write_set
from tflm_hil.configuration import load_configuration
from tflm_hil.errors import HilError
from tflm_hil.models.manifest import load_model
from tflm_hil.training import model_toml
from tflm_hil.training.sensing import SensorWishes
from tflm_hil.training.subject import Wishes, recordings_key, subject

SENSOR = """
[sensor]
name = "LSM6DSOX"
accelerometer_range_g = 8
gyroscope_range_dps = 1000
"""


def written(root: Path, folder: Path, wishes: Wishes) -> str:
    """The model.toml of a new model `moves`, after it was read again as the harness reads it."""
    configuration = load_configuration(root)
    found = subject(configuration, "moves", wishes)
    assert found.new
    text = model_toml.new(
        found.model, recordings_key(configuration, found.model), "moves.tflite", {"float32": "moves.tflite"}
    )
    directory = root / "models" / "moves"
    directory.mkdir(parents=True)
    (directory / "model.toml").write_text(text)
    read = load_model(directory, configuration.recordings, untrained=True)
    assert read.recordings == folder
    for key in ("name", "description", "labels", "window", "stride", "sample_rate_hz", "channels"):
        assert getattr(read, key) == getattr(found.model, key)
    assert read.trained == read.variants["float32"].path == directory / "moves.tflite"
    return text


def test_a_new_model_has_the_scales_of_the_paper(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "recordings" / "moves", {"flex": 2, "punch": 2})
    text = written(tmp_path, folder, Wishes())
    assert 'labels = ["flex", "punch"]' in text
    assert "window = 30\nstride = 5\n" in text
    assert text.count('sensor = "MPU6050"\nrange = 4.0\nminimum = -4.0\nmaximum = 4.0\n') == 3
    assert text.count('sensor = "MPU6050"\nrange = 2000.0\nminimum = -2000.0\nmaximum = 2000.0\n') == 3
    assert "\n\n\n" not in text


def test_a_new_model_has_the_scales_of_the_sensor_that_the_recordings_name(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "recordings" / "set", {"flex": 2, "punch": 2})
    with (folder / "recordings.toml").open("a") as file:
        file.write(SENSOR)
    text = written(tmp_path, folder, Wishes("set", 20, 10, SensorWishes(gyroscope_range_dps=2000)))
    assert "window = 20\nstride = 10\n" in text
    assert text.count('sensor = "LSM6DSOX"\nrange = 8.0\nminimum = -8.0') == 3
    assert text.count('sensor = "LSM6DSOX"\nrange = 2000.0') == 3


def test_recordings_outside_of_the_project_are_named_by_their_path(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "elsewhere", {"flex": 2, "punch": 2})
    root = tmp_path / "project"
    root.mkdir()
    assert f'recordings = "{folder}"' in written(root, folder, Wishes(str(folder)))


def test_a_manifest_that_is_there_only_gets_what_it_lacks(tmp_path: Path) -> None:
    text = f"# Ours.\n\n{MANIFEST}  # not more\n"
    changed = model_toml.with_variants(
        model_toml.with_trained(text, "wave_float32.tflite"), {"float32": "wave_float32.tflite", "int8": "other.tflite"}
    )
    removed = changed.replace('trained = "wave_float32.tflite"\n', "")
    assert removed == text + '\n[variants.float32]\nfile = "wave_float32.tflite"\n'
    model = load_model(write_model(tmp_path, changed), tmp_path, untrained=True)
    assert list(model.variants) == ["int8", "float32"]
    assert model.trained is not None
    assert model.variants["int8"].budget("stm32f4", "aot").flash_bytes == 1000
    assert model_toml.with_trained(changed, "another.tflite") == changed
    assert model_toml.with_variants(changed, {"float32": "another.tflite"}) == changed


@pytest.mark.parametrize(
    ("wishes", "line"),
    [
        (Wishes(window=31), "--window=31: .*model.toml says window = 30; change it there"),
        (Wishes(sensor=SensorWishes("BMI270")), "has the sensor's channels; change them there"),
    ],
)
def test_options_that_contradict_the_manifest(tmp_path: Path, wishes: Wishes, line: str) -> None:
    write_model(tmp_path)
    with pytest.raises(HilError, match=line):
        subject(load_configuration(tmp_path), "wave", wishes)


def test_a_label_that_the_manifest_does_not_have(tmp_path: Path) -> None:
    write_model(tmp_path)
    write_set(tmp_path / "recordings" / "waves", {"up": 2, "sideways": 2})
    with pytest.raises(HilError, match=r"1\.csv: labelled 'sideways', but wave takes one of up, down"):
        subject(load_configuration(tmp_path), "wave", Wishes())
