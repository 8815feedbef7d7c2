"""`hil train` and `hil quantize` with TensorFlow, on recordings that are learned within a few epochs.

TensorFlow takes seconds to load, so one process trains and quantizes for all tests of this file.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from support.hil_command import hil
from support.movement_sets import csv, movement, write_set
from support.needs import needs_tensorflow
from support.once import once
from tflm_hil.configuration import load_configuration
from tflm_hil.models.manifest import load_models
from tflm_hil.models.reference import Reference
from tflm_hil.recordings import load_recordings
from tflm_hil.training.training_file import FILE, Training
from tflm_hil.training.windows import labelled_windows

pytestmark = needs_tensorflow

COMMANDS = """
import shlex, sys
from tflm_hil.cli import main
for line in sys.argv[1:]:
    sys.argv = ["hil", *shlex.split(line)]
    try:
        main()
    except SystemExit as ended:
        if ended.code:
            raise
"""


def run(root: Path, *lines: str) -> str:
    """What `hil` says to each of `lines`, in one process."""
    done = subprocess.run(
        [sys.executable, "-c", COMMANDS, *lines], capture_output=True, text=True, cwd=root, check=False
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return done.stdout


def make(root: Path) -> None:
    write_set(root / "recordings" / "moves", {"punch": 8, "flex": 8, "idle": 6})
    # Two labels of the same movement: there is nothing to learn but by heart, which the validation windows show.
    alike = write_set(root / "recordings" / "alike", {"one": 6, "other": 6})
    (alike / "1.csv").write_text(csv([movement(0, 40, seed) for seed in range(6, 12)]))
    said = run(
        root,
        "train alike --epochs 60",
        "train moves --epochs 40",
        "train again --recordings moves --epochs 40",
        "quantize moves --prune 0.5 --variants float32,int8,pruned50_int8",
    )
    (root / "said.txt").write_text(said)


@pytest.fixture(scope="module")
def project() -> Path:
    return once("trained", make)


@pytest.fixture(scope="module")
def training(project: Path) -> Training:
    return msgspec.json.decode((project / "models" / "moves" / FILE).read_bytes(), type=Training)


@pytest.fixture(scope="module")
def quantization(project: Path) -> Any:
    return json.loads((project / "models" / "moves" / "quantization.json").read_text())


def test_the_same_recordings_give_the_same_weights(project: Path) -> None:
    models = project / "models"
    for suffix in (".keras", "_float32.tflite"):
        first, second = (
            hashlib.sha256((models / name / f"{name}{suffix}").read_bytes()).hexdigest() for name in ("moves", "again")
        )
        assert first == second


def test_training_json_says_what_was_trained(project: Path, training: Training) -> None:
    recordings = load_recordings(project / "recordings" / "moves", load_models(project)["moves"].channels)
    assert sorted(training.split.training + training.split.validation) == sorted(each.name for each in recordings)
    assert len(training.split.validation) == 5
    assert (training.windows.training, training.windows.validation) == (17 * 3, 5 * 3)
    assert training.parameters == 180 * 50 + 50 + 50 * 15 + 15 + 15 * 3 + 3
    assert [len(values) for values in training.history.values()] == [40] * 4
    assert training.best_epoch == 1 + int(np.argmin(training.history["val_loss"]))
    assert training.cross_entropy.validation == pytest.approx(min(training.history["val_loss"]), rel=1e-3, abs=1e-5)
    assert training.accuracy.validation >= 0.9
    assert np.array(training.confusion).sum() == training.windows.validation
    assert training.files == {"moves.keras": (project / "models" / "moves" / "moves.keras").stat().st_size}


def test_the_weights_are_those_of_the_best_epoch_not_of_the_last(project: Path) -> None:
    training = msgspec.json.decode((project / "models" / "alike" / FILE).read_bytes(), type=Training)
    losses = training.history["val_loss"]
    assert losses[-1] - min(losses) > 1e-4
    assert training.best_epoch == 1 + losses.index(min(losses))
    assert training.cross_entropy.validation == pytest.approx(min(losses), abs=1e-5)


def test_the_tflite_is_the_network_that_was_trained(project: Path, training: Training) -> None:
    model = load_models(project)["moves"]
    windows = labelled_windows(model, load_recordings(project / "recordings" / "moves", model.channels))
    validation = windows.of(training.split.validation)
    answers = Reference(model.variants["float32"].path).run(validation.inputs(model))
    right = answers.reshape(len(validation), -1).argmax(axis=1) == validation.classes
    assert right.mean() == training.accuracy.validation


def test_the_folder_has_become_a_project(project: Path) -> None:
    assert load_configuration(project).file == project / "hil.toml"
    assert "from tflm_hil.suite import *" in (project / "tests" / "test_hil.py").read_text()


def test_every_variant_is_judged(project: Path, quantization: Any) -> None:
    variants = {variant["name"]: variant for variant in quantization["variants"]}
    assert list(variants) == ["float32", "float16", "dynamic", "int8", "int8_float_io", "int16x8"]
    for variant in variants.values():
        assert variant["bytes"] == (project / "models" / "moves" / variant["file"]).stat().st_size
        assert variant["accuracy"] >= 0.8
        assert 0 <= variant["cross_entropy"] < 1
    assert variants["float32"]["agreement"] == 1.0
    assert variants["int8"]["engines"]["aot"] is None
    assert "hybrid" in variants["dynamic"]["engines"]["aot"]
    assert variants["dynamic"]["runtime"].startswith("LiteRT")
    assert variants["int8"]["bytes"] < 0.4 * variants["float32"]["bytes"]


def test_pruning_leaves_the_units_that_it_was_asked_for(project: Path, quantization: Any) -> None:
    (point,) = quantization["pruning"]
    assert point["units"] == [25, 8]
    assert point["parameters"] == 180 * 25 + 25 + 25 * 8 + 8 + 8 * 3 + 3
    assert point["accuracy"] >= 0.8
    model = load_models(project)["moves"]
    assert list(model.variants) == ["float32", "int8", "pruned50_int8"]
    assert model.variants["pruned50_int8"].path.stat().st_size == point["bytes"]


def test_the_tables_are_shown(project: Path) -> None:
    said = (project / "said.txt").read_text()
    assert "moves: dense, 9,863 parameters; the weights are those of epoch" in said
    assert "aot refuses dynamic: operator 0 (FULLY_CONNECTED): hybrid" in said
    assert "pruned  hidden units  parameters" in said


@pytest.mark.parametrize(
    ("file", "change", "line"),
    [
        (
            "moves.keras",
            lambda content: content[:-1],
            "moves.keras: is not the network that training.json tells of; train again",
        ),
        ("training.json", lambda content: content[:-9], "training.json: is not what `hil train` writes"),
        (
            "model.toml",
            lambda content: content.replace(b'"idle"', b'"rest"'),
            "model.toml: labels is ['punch', 'flex', 'rest'], but ['punch', 'flex', 'idle'] was trained; train again",
        ),
    ],
)
def test_files_that_contradict_each_other(project: Path, tmp_path: Path, file: str, change: Any, line: str) -> None:
    copy = tmp_path / "models" / "moves"
    copy.mkdir(parents=True)
    (tmp_path / "hil.toml").write_text('schema = "hil-project/1"\n')
    for name in ("moves.keras", "training.json", "model.toml"):
        content = (project / "models" / "moves" / name).read_bytes()
        (copy / name).write_bytes(change(content) if name == file else content)
    done = hil("quantize", "moves", cwd=tmp_path)
    assert done.returncode == 1
    (said,) = done.stderr.splitlines()
    assert line in said
