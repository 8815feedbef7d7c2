"""What `hil new` and `hil init` write: worked out from networks and recordings, and only where nothing is yet."""

from __future__ import annotations

import importlib.metadata
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from support.hil_command import ROOT, hil
from tflm_hil.commands.scaffold import wave
from tflm_hil.models.manifest import Model, load_models
from tflm_hil.models.tflite_builder import OperatorSpec, TensorSpec, build
from tflm_hil.models.tflite_file import TensorType, read
from tflm_hil.recordings import Recording, load_recordings

GESTURE = ROOT / "models" / "gesture"
PUNCHES = ROOT / "recordings" / "gesture"
EXAMPLE = ROOT / "examples" / "wave"


def network(path: Path, shape: Sequence[int], outputs: int = 2, kind: TensorType = TensorType.FLOAT32) -> Path:
    """A dense layer on an input of `shape`."""
    size = int(np.prod(shape))
    scales = [] if kind is TensorType.FLOAT32 else [1 / 128]
    weights = np.ones((outputs, size), np.float32 if kind is TensorType.FLOAT32 else np.int8)
    tensors = [
        TensorSpec(shape, kind, scales),
        TensorSpec(weights.shape, kind, scales, data=weights),
        TensorSpec([1, outputs], kind, scales),
    ]
    path.write_bytes(build(tensors, [OperatorSpec("FULLY_CONNECTED", [0, 1, -1], [2])], [0], [2]))
    return path


def csv(folder: Path, name: str, header: str, *rows: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([header, *rows]) + "\n")


def new(tmp_path: Path, *arguments: str | Path) -> tuple[Path, str]:
    """The project that `hil new` makes, and what it says."""
    done = hil("new", "demo", *arguments, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    return tmp_path / "demo", done.stdout


def only_model(root: Path) -> Model:
    (model,) = load_models(root).values()
    return model


def recordings_of(model: Model) -> list[Recording]:
    assert model.recordings is not None
    return load_recordings(model.recordings, model.channels, model.window)


def files(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


def test_the_example_is_that_of_the_repository(tmp_path: Path) -> None:
    (tmp_path / "network.tflite").write_bytes(wave.network())  # Other versions of flatbuffers lay it out differently.
    ours, example = read(tmp_path / "network.tflite"), read(EXAMPLE / "models/wave/wave_int8.tflite")
    assert ours.operators == example.operators
    for tensor, other in zip(ours.tensors, example.tensors, strict=True):
        assert (tensor.shape, tensor.type, tensor.scales.tolist()) == (other.shape, other.type, other.scales.tolist())
        np.testing.assert_array_equal(tensor.data, other.data)
    for label, text in wave.recordings().items():
        assert text == (EXAMPLE / "recordings" / "wave" / f"{label}.csv").read_text()
    made, theirs = only_model(new(tmp_path)[0]), only_model(EXAMPLE)
    for key in ("labels", "window", "stride", "sample_rate_hz", "channels"):
        assert getattr(made, key) == getattr(theirs, key)


def test_without_a_network_there_is_one_and_everything_that_it_takes(tmp_path: Path) -> None:
    root, said = new(tmp_path, "--target", "stm32f2")
    assert files(root) == {
        *("hil.toml", "tox.ini", ".gitignore", "tests/test_hil.py"),
        *("models/wave/model.toml", "models/wave/wave_int8.tflite"),
        *("recordings/wave/recordings.toml", "recordings/wave/wave.csv", "recordings/wave/still.csv"),
    }
    assert 'default_target = "stm32f2"' in (root / "hil.toml").read_text()
    assert said.endswith("next:\n    cd demo\n    pytest --board=emulated\n")
    assert "Synthetic" in (root / "recordings/wave/recordings.toml").read_text()


def test_recordings_and_a_network_become_a_model_that_answers_rightly(tmp_path: Path) -> None:
    """The flat input is cut by the channels of the recordings, and the answers tell the order of the labels."""
    given = shutil.copytree(PUNCHES, tmp_path / "given" / "gesture")
    (given / "notes.py").write_text("")
    root, said = new(tmp_path, "--model", GESTURE / "gesture_int8.tflite", "--recordings", given)
    model = only_model(root)
    assert (model.name, list(model.variants), model.labels) == ("gesture", ["int8"], ["punch", "flex", "idle"])
    assert (model.window, model.sample_rate_hz) == (30, 50.0)
    assert [channel.name for channel in model.channels] == ["aX", "aY", "aZ", "gX", "gY", "gZ"]
    assert "in this one the network is right about" in said
    assert "recordings/gesture/punch.csv" in files(root)
    assert "recordings/gesture/notes.py" not in files(root), "only what is a recording"


@pytest.mark.parametrize(
    ("shape", "windows"),
    [
        ([1, 30, 6], (30, 6, "channels-last")),
        ([1, 30, 6, 1], (30, 6, "channels-last")),
        ([1, 3, 128], (128, 3, "channels-first")),
        ([1, 8, 8], (8, 8, "channels-last")),
    ],
)
def test_a_shape_of_two_dimensions_speaks_of_windows(
    tmp_path: Path, shape: list[int], windows: tuple[int, int, str]
) -> None:
    root, said = new(tmp_path, "--model", network(tmp_path / "my net.tflite", shape))
    model = only_model(root)
    assert (model.window, len(model.channels), model.layout) == windows
    assert model.name == "my_net"
    assert "a guess" in said
    recordings = recordings_of(model)
    assert all(len(recording.samples) >= model.window for recording in recordings)
    assert "Synthetic" in (root / "recordings" / "my_net" / "recordings.toml").read_text()


@pytest.mark.parametrize(
    ("shape", "outputs"), [([1, 180], 2), ([1, 96, 96], 2), ([1, 32, 32, 3], 2), ([1, 1], 1), ([1, 30, 6], 100)]
)
def test_what_is_no_window_network_is_fed_with_tensors(tmp_path: Path, shape: list[int], outputs: int) -> None:
    """The last one looks like windows, but no answer to a window holds its outputs."""
    root, said = new(tmp_path, "--model", network(tmp_path / "net.tflite", shape, outputs))
    assert not only_model(root).windowed
    assert not (root / "recordings").exists()
    assert "its inputs are written as tensors" in said
    assert "a guess" not in said


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        (["walk/1.csv", "walk/2.csv", "run/1.csv"], ["run", "walk"]),
        (["walk_1.csv", "walk_02.csv", "run.csv"], ["run", "walk"]),
        (["walk.7a.csv", "run.8b.csv"], ["run", "walk"]),
        (["a.csv"], []),
        (["a.csv", "b.csv", "c.csv"], []),
    ],
)
def test_files_are_labelled_by_their_names_if_these_are_as_many_as_outputs(
    tmp_path: Path, names: list[str], labels: list[str]
) -> None:
    for name in names:
        csv(tmp_path / "data", name, "x,y", *["1,2"] * 8)
    root, _ = new(tmp_path, "--model", network(tmp_path / "net.tflite", [1, 4, 2]), "--recordings", tmp_path / "data")
    model = only_model(root)
    assert sorted(model.labels) == labels
    if labels:
        assert {recording.label for recording in recordings_of(model)} == set(labels)


@pytest.mark.parametrize(
    ("header", "times", "rate"),
    [
        ("t", (0.0, 0.02), 50.0),
        ("time", (5, 15), 100.0),
        ("timestamp", (1_000_000, 1_010_000), 100.0),
        ("time_ms", (0, 1000), 1.0),
        ("t (us)", (0, 500), 2000.0),
        ("T [s]", (0.0, 0.5), 2.0),
    ],
)
def test_the_sample_rate_is_what_the_times_say(
    tmp_path: Path, header: str, times: tuple[float, float], rate: float
) -> None:
    period = times[1] - times[0]
    rows = [f"{times[0] + period * number:.6g},1,2,wave" for number in range(8)]
    csv(tmp_path / "data", "a.csv", f"{header},x,y,gesture", *rows)
    root, _ = new(tmp_path, "--model", network(tmp_path / "net.tflite", [1, 8]), "--recordings", tmp_path / "data")
    model = only_model(root)
    assert model.sample_rate_hz == rate
    assert [channel.name for channel in model.channels] == ["x", "y"], "neither times nor labels"
    assert recordings_of(model)[0].row_labels == ["wave"] * 8


def test_without_times_the_rate_is_a_guess_that_is_told(tmp_path: Path) -> None:
    csv(tmp_path / "data", "a.csv", "x,y", *["1,2"] * 8)
    root, said = new(tmp_path, "--model", network(tmp_path / "net.tflite", [1, 8]), "--recordings", tmp_path / "data")
    guess = "sample_rate_hz = 50, because no column holds times"
    assert guess in said
    assert guess in (root / "recordings/data/recordings.toml").read_text()


def test_a_file_of_edge_impulse_says_rate_and_units(tmp_path: Path) -> None:
    sensors = [{"name": "accX", "units": "m/s2"}, {"name": "accY", "units": "m/s2"}]
    payload = {"interval_ms": 10, "sensors": sensors, "values": [[1.5, 9.81]] * 8}
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "idle.5f.json").write_text(json.dumps({"payload": payload}))
    root, said = new(tmp_path, "--model", network(tmp_path / "net.tflite", [1, 8]), "--recordings", tmp_path / "data")
    model = only_model(root)
    assert (model.sample_rate_hz, model.channels[0].unit) == (100.0, "m/s2")
    assert "sample_rate_hz" not in said


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        (("-0.9", "0.9"), TensorType.INT8, {"normalize": "none", "unit": "dimensionless"}),
        (("-20000", "20000"), TensorType.INT8, {"mean": 80.0, "std": 20080.0, "unit": "raw"}),
        (("-3.5", "3.5"), TensorType.FLOAT32, {"normalize": "none", "lsb_per_unit": 8192.0}),
        (("-1200.5", "1200.5"), TensorType.FLOAT32, {"mean": -0.5, "std": 1200.0}),
    ],
)
def test_values_fill_the_input(
    tmp_path: Path, values: tuple[str, str], kind: TensorType, expected: dict[str, object]
) -> None:
    csv(tmp_path / "data", "a.csv", "x,y", *[f"{value},{value}" for value in values * 4])
    root, _ = new(
        tmp_path, "--model", network(tmp_path / "net.tflite", [1, 8], kind=kind), "--recordings", tmp_path / "data"
    )
    channel = only_model(root).channels[0]
    assert {key: getattr(channel, key) for key in expected} == expected


@pytest.mark.parametrize(
    ("header", "rows", "said"),
    [
        ("x,y,z", ["1,2,3"], "takes [1, 8], which are no windows of the 3 channels in data (x, y, z); name other"),
        ("x,y", ["1,2", "1"], "data/a.csv: has a row of 1 cells below 2 columns; correct it"),
        ("x,y", [], "data/a.csv: has no rows; record it again"),
        ("x,y", ["1,2"], "data/a.csv:2: the recording has 1 rows"),
        ("label,name", ["a,b"], "data/a.csv: has no column of numbers"),
    ],
)
def test_recordings_that_do_not_fit_are_one_line(tmp_path: Path, header: str, rows: list[str], said: str) -> None:
    csv(tmp_path / "data", "a.csv", header, *rows)
    network(tmp_path / "net.tflite", [1, 8])
    done = hil("new", "demo", "--model", "net.tflite", "--recordings", "data", cwd=tmp_path)
    assert done.returncode == 1
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "demo").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--model", "none.tflite"], "hil: none.tflite: cannot be read"),
        (["--model", "text"], "hil: text: the identifier TFL3 is missing"),
        (["--recordings", "data"], "hil: --recordings: nothing to feed with them; add --model"),
        (["--model", "net.tflite", "--recordings", "none"], "hil: none: no such folder"),
        (["--model", "net.tflite", "--recordings", "data"], "hil: data: has no recordings.toml, and no .csv or"),
        (["--target", "z80"], "hil: unknown target z80; choose"),
    ],
)
def test_what_cannot_be_is_one_line_and_nothing_is_written(tmp_path: Path, arguments: list[str], said: str) -> None:
    (tmp_path / "text").write_text("no network")
    (tmp_path / "data").mkdir()
    network(tmp_path / "net.tflite", [1, 8])
    before = files(tmp_path)
    done = hil("new", "demo", *arguments, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith(said)
    assert len(done.stderr.splitlines()) == 1
    assert files(tmp_path) == before
    assert not (tmp_path / "demo").exists()


def test_a_folder_that_platformio_cannot_work_in_is_refused_at_once(tmp_path: Path) -> None:
    done = hil("new", "a$b", cwd=tmp_path)
    assert done.returncode == 1
    assert "PlatformIO takes no '$' in the name of a folder" in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["hil.toml", "demo", "models/wave/model.toml", "recordings/wave", "tests/test_hil.py"])
def test_nothing_is_overwritten(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text("mine")
    if name == "hil.toml":
        (tmp_path / name).write_text('schema = "hil-project/1"\n')
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    done = hil(*(["new", "demo"] if name == "demo" else ["init"]), cwd=tmp_path)
    assert done.returncode == 1
    assert "already" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert not [path for path in tmp_path.rglob("*") if path.is_dir() and path not in (tmp_path / name).parents]


def test_a_repository_with_a_platformio_project_keeps_everything(tmp_path: Path) -> None:
    there = {
        "platformio.ini": "[env:mine]\nplatform = atmelavr\n",
        "src/main.cpp": "int main() {}\n",
        "tox.ini": "[tox]\n",
        ".gitignore": ".pio/\n",
        "pyproject.toml": '[project]\nname = "mine"\n',
        "data/imu/walk.csv": "x,y\n" + "1,2\n" * 8,
        "data/imu/run.csv": "x,y\n" + "3,4\n" * 8,
    }
    for name, text in there.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    network(tmp_path / "net.tflite", [1, 8])
    done = hil("init", "--model", "net.tflite", "--recordings", "data/imu", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert {name: (tmp_path / name).read_text() for name in there} == there
    assert files(tmp_path) - set(there) == {
        *("net.tflite", "hil.toml", "tests/test_hil.py", "data/imu/recordings.toml"),
        *("models/net/model.toml", "models/net/net_float32.tflite"),
    }, "recordings of the repository are not copied"
    assert "tox is set up already: give it an environment" in done.stdout
    assert "platformio.ini stays as it is: " in done.stdout
    assert ".gitignore is there already: add .hil/ and reports/ to it" in done.stdout
    model = only_model(tmp_path)
    assert {recording.label for recording in recordings_of(model)} == {"walk", "run"}


def test_pytest_settings_of_the_repository_stay_in_force(tmp_path: Path) -> None:
    """pytest would prefer tox.ini to setup.cfg."""
    (tmp_path / "setup.cfg").write_text("[tool:pytest]\naddopts = -v\n")
    assert hil("init", cwd=tmp_path).returncode == 0
    assert "[pytest]" not in (tmp_path / "tox.ini").read_text()
    assert "[testenv]" in (tmp_path / "tox.ini").read_text()


def test_recordings_that_refer_to_files_elsewhere_stay_where_they_are(tmp_path: Path) -> None:
    csv(tmp_path / "archive", "a.csv", "x,y", *["1,2"] * 8)
    (tmp_path / "set").mkdir()
    manifest = 'schema = "hil-recordings/1"\nsample_rate_hz = 10.0\n[[files]]\npath = "../archive/*.csv"\n'
    (tmp_path / "set" / "recordings.toml").write_text(manifest)
    network(tmp_path / "net.tflite", [1, 8])
    root, _ = new(tmp_path, "--model", tmp_path / "net.tflite", "--recordings", tmp_path / "set")
    model = only_model(root)
    assert model.recordings == tmp_path / "set"
    assert len(recordings_of(model)) == 1


@pytest.mark.parametrize(
    ("origin", "requirement"),
    [
        (None, "tflm-hil>=0.1.0"),
        ({"url": "file:///a/tflm_hil-0.1.0-py3-none-any.whl", "archive_info": {}}, "tflm-hil @ file:///a/tflm_hil-0.1"),
        ({"url": "file:///clone", "dir_info": {"editable": True}}, "-e file:///clone"),
        ({"url": "file:///clone", "dir_info": {}}, "tflm-hil @ file:///clone"),
        (
            {"url": "https://host/x.git", "vcs_info": {"vcs": "git", "commit_id": "ab12"}},
            "tflm-hil @ git+https://host/x.git@ab12",
        ),
        ({"url": "file:///{tox}.whl", "archive_info": {}}, "tflm-hil @ file:///\\{tox}.whl"),
    ],
)
def test_tox_installs_from_where_the_harness_came(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, origin: object, requirement: str
) -> None:
    information = tmp_path / "tflm_hil-0.1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: tflm-hil\nVersion: 0.1.0\n")
    if origin:
        (information / "direct_url.json").write_text(json.dumps(origin))
    monkeypatch.setattr(importlib.metadata, "distribution", lambda _: importlib.metadata.Distribution.at(information))
    root, _ = new(tmp_path)
    assert f"deps =\n    {requirement}" in (root / "tox.ini").read_text()
