"""`hil export`: what it writes, what it says, and what it leaves alone."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from support.hil_command import ROOT, hil
from tflm_hil.models.tflite_builder import OperatorSpec, TensorSpec, build
from tflm_hil.models.tflite_file import TensorType

FLOAT32, INT8 = TensorType.FLOAT32, TensorType.INT8
GESTURE = ROOT / "models" / "gesture" / "gesture_int8.tflite"


def test_a_model_of_the_project_is_exported_and_again_over_itself(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "gesture"
    first = hil("export", "gesture", "--variant", "float32", "--out", out)
    assert (first.returncode, first.stderr) == (0, "")
    assert "gesture_float32_model.h" in first.stdout
    second = hil("export", "gesture", "--out", out)
    assert second.returncode == 0
    names = {path.name for path in out.rglob("*")}
    assert {"gesture_int8_model.h", "gesture_int8_tflite.c", "README.md", "windowing.c"} <= names
    assert not {"gesture_float32_model.h", "aot_conv_s8.c", "aot_softmax_f32.c"} & names
    assert [path.name for path in out.parent.iterdir()] == ["gesture"]


def test_a_file_needs_no_project_and_goes_to_build(tmp_path: Path) -> None:
    (tmp_path / "my-model 2.tflite").write_bytes(GESTURE.read_bytes())
    done = hil("export", "my-model 2.tflite", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "build" / "my_model_2" / "array" / "my_model_2_tflite.c").is_file()
    header = (tmp_path / "build" / "my_model_2" / "library" / "my_model_2_model.h").read_text()
    assert "_push(" not in header  # nothing says what windows there are
    assert "#define MY_MODEL_2_INPUT_LENGTH 180\n" in header


def test_what_the_engine_refuses_is_exported_as_an_array_with_the_reason(tmp_path: Path) -> None:
    weights = TensorSpec((2, 4), INT8, [0.5], [0], np.ones((2, 4), np.int8))
    tensors = [TensorSpec((1, 4), FLOAT32), weights, TensorSpec((1, 2), FLOAT32)]
    (tmp_path / "hybrid.tflite").write_bytes(build(tensors, [OperatorSpec("FULLY_CONNECTED", [0, 1], [2])], [0], [2]))
    done = hil("export", "hybrid.tflite", "--out", "out", cwd=tmp_path)
    assert done.returncode == 0
    reason = "operator 0 (FULLY_CONNECTED)"
    assert f"only the array was written: {reason}" in done.stdout
    assert f"`library/` is missing: {reason}" in (tmp_path / "out" / "README.md").read_text()
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["README.md", "array", "export.json"]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("case", ["foreign", "added", "changed", "file"])
def test_what_somebody_else_wrote_is_not_replaced_unless_forced_and_kept_then(tmp_path: Path, case: str) -> None:
    out = tmp_path / "out"
    if case == "foreign":
        (out / "src").mkdir(parents=True)
        (out / "src" / "main.c").write_text("mine")
    elif case == "file":
        out.write_text("mine")
    else:
        assert hil("export", GESTURE, "--out", out).returncode == 0
        (out / ("README.md" if case == "changed" else "library/mine.c")).write_text("mine")
    said = {
        "foreign": "is not of this command, which leaves export.json",
        "added": "has library/mine.c, which is not of this command",
        "changed": "README.md was changed since it was exported",
        "file": "is no folder",
    }[case]
    before = contents(tmp_path)
    refused = hil("export", GESTURE, "--out", out)
    assert refused.returncode == 1
    line = f"hil: --out {out}: {said}; name another folder, or replace it with --force\n"
    assert (refused.stdout, refused.stderr) == ("", line)
    assert contents(tmp_path) == before
    for kept in ("out.old", "out.old2"):
        forced = hil("export", GESTURE, "--out", out, "--force")
        assert forced.returncode == 0
        assert f"what was there before is in {tmp_path / kept}\n" in forced.stdout
        assert (out / "library" / "gesture_int8_model.c").is_file()
        (out / "mine").write_text("")
    assert {name.replace("out.old", "out", 1): content for name, content in contents(tmp_path).items()
            if name.startswith(("out.old/", "out.old")) and not name.startswith("out.old2")} == before  # fmt: skip


@pytest.mark.parametrize("out", [".", ".."])
def test_the_folder_that_it_runs_in_is_never_replaced(tmp_path: Path, out: str) -> None:
    (tmp_path / "here").mkdir()
    done = hil("export", GESTURE, "--out", out, "--force", cwd=tmp_path / "here")
    assert done.returncode == 1
    assert done.stderr == f"hil: --out {out}: this command runs in it; name a folder for the export alone\n"


def test_an_export_that_fails_leaves_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    assert hil("export", GESTURE, "--out", out).returncode == 0
    before = contents(tmp_path)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", full)
    failed = hil("export", GESTURE, "--out", out)
    assert failed.returncode == 1
    assert failed.stderr.startswith(f"hil: cannot write {out}: No space left on device; free some space")
    assert contents(tmp_path) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nope"], "hil: nope: neither a .tflite file nor one of models/ (five_gestures"),
        (["nope.tflite"], "hil: nope.tflite: cannot be read"),
        (["README.md"], "hil: README.md: the identifier TFL3 is missing"),
        (["gesture", "--variant", "int4"], "hil: --variant=int4: no such variant; the manifest has float32, int8"),
        ([GESTURE, "--variant", "int8"], f"hil: --variant=int8: {GESTURE} is a file, which has no variants"),
    ],
)
def test_what_cannot_be_exported_is_one_line_and_no_folder(
    tmp_path: Path, arguments: list[str | Path], message: str
) -> None:
    done = hil("export", *arguments, "--out", tmp_path / "out")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(message)
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists()
