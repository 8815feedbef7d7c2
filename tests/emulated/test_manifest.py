"""What manifests say holds on the device: the order of the input, what one output means, budgets, what to leave out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.hil_command import hil
from support.needs import needs_emulator
from support.project_helpers import Project
from tflm_hil.models.tflite_builder import OperatorSpec, TensorSpec, build
from tflm_hil.models.tflite_file import TensorType
from tflm_hil.results.model import load

INT8, INT16, INT32, INT64 = TensorType.INT8, TensorType.INT16, TensorType.INT32, TensorType.INT64
ROWS, STEP = 5, 1 / 64

CHANNELS = """
[[channels]]
name = "x"
unit = "g"
sensor = "MPU6050"
range = 4
mean = 0.5
std = 2.0
[[channels]]
name = "y"
unit = "g"
lsb_per_unit = 8192
normalize = "none"
"""
LEFT_OUT = '[[skip]]\ntarget = "nrf51"\nreason = "nobody sells it any more"\n'


def network(shape: list[int], weights: np.ndarray, activation: str | None = None) -> bytes:
    """A fully connected layer over all values of the input, whatever its shape."""
    outputs = len(weights)
    values = weights.shape[1]
    tensors = [
        TensorSpec(shape, INT8, [STEP], [0]),
        TensorSpec([2], INT32, data=np.array([1, values], np.int32)),
        TensorSpec([1, values], INT8, [STEP], [0]),
        TensorSpec(list(weights.shape), INT8, [1 / 64], [0], data=weights.astype(np.int8)),
        TensorSpec([outputs], INT32, [STEP / 64], [0], data=np.zeros(outputs, np.int32)),
        TensorSpec([1, outputs], INT8, [1 / 16], [0]),
    ]
    operators = [
        OperatorSpec("RESHAPE", [0, 1], [2]),
        OperatorSpec("FULLY_CONNECTED", [2, 3, 4], [5], {"FusedActivationFunction": 0}),
    ]
    if activation is not None:
        tensors.append(TensorSpec([1, outputs], INT8, [1 / 256], [-128]))
        operators.append(OperatorSpec(activation, [5], [6]))
    return build(tensors, operators, [0], [len(tensors) - 1])


def int16_network(weights: np.ndarray) -> bytes:
    """A fully connected layer and SOFTMAX on int16. A step of its input is 2^-14, so it goes from -2 to 2."""
    outputs, values = weights.shape
    step = 2.0**-14
    tensors = [
        TensorSpec([1, values], INT16, [step], [0]),
        TensorSpec([outputs, values], INT8, [1 / 64], [0], data=weights.astype(np.int8)),
        TensorSpec([outputs], INT64, [step / 64], [0], data=np.zeros(outputs, np.int64)),
        TensorSpec([1, outputs], INT16, [step], [0]),
        TensorSpec([1, outputs], INT16, [2.0**-15], [0]),
    ]
    operators = [OperatorSpec("FULLY_CONNECTED", [0, 1, 2], [3]), OperatorSpec("SOFTMAX", [3], [4], {"Beta": 1.0})]
    return build(tensors, operators, [0], [4])


def windowed(labels: list[str], extra: str = "", end: str = "") -> str:
    names = ", ".join(f'"{label}"' for label in labels)
    return (
        f"labels = [{names}]\nwindow = {ROWS}\nstride = {ROWS}\nsample_rate_hz = 50\n"
        f'recordings = "{labels[0]}"\n{extra}{CHANNELS}{LEFT_OUT}{end}'
    )


def add_recordings(root: Path, labels: list[str], rows: tuple[str, str] = ("1.5,-0.5", "-0.5,1.5")) -> None:
    """Recordings of two windows in which each row is that of the label, "x,y" in g."""
    folder = root / "recordings" / labels[0]
    folder.mkdir(parents=True)
    text = 'schema = "hil-recordings/1"\nsample_rate_hz = 50\n'
    for label, row in zip(labels, rows, strict=True):
        (folder / f"{label}.csv").write_text("x,y\n" + f"{row}\n" * (2 * ROWS))
        text += f'[[files]]\npath = "{label}.csv"\nlabel = "{label}"\n'
    (folder / "recordings.toml").write_text(text)


@needs_emulator
def test_what_manifests_say_holds_on_the_device(pytester: pytest.Pytester, tmp_path: Path) -> None:
    project = Project(tmp_path / "project")
    rows_of_x = np.array([1] * ROWS + [0] * ROWS) * 64
    first = network([1, 2, ROWS], np.stack([rows_of_x, 64 - rows_of_x]))
    wanted = "[variants.only.budgets.all.all]\naccuracy = 1.0\npreparation = 100000\nwindow = 100000\n"
    project.add_model("first", first, windowed(["a", "b"], 'layout = "channels-first"\n', wanted))
    add_recordings(project.root, ["a", "b"])
    # It takes every window for the second label, because even the smaller sum is above 0.
    blind = network([1, ROWS, 2], np.full((1, 2 * ROWS), 64), "LOGISTIC")
    meant = '[output]\nkind = "probability"\nthreshold = 0.5\n'
    missed = "[variants.only.budgets.stm32f4.aot]\naccuracy = 0.9\npreparation = 10\nwindow = 20\n"
    project.add_model("one", blind, windowed(["still", "wave"], meant, missed))
    add_recordings(project.root, ["still", "wave"])
    # An odd count of x is some steps and a half: to even is down for 1, up for 3. What y has below -2 is clipped.
    wide = int16_network(np.tile([[64, 4], [0, 0]], ROWS))
    of_x = "mean = 0.5\nstd = 2.0\n", "mean = 0.0\nstd = 4.0\n"
    project.add_model("wide", wide, windowed(["up", "down"], end=wanted).replace(*of_x))
    add_recordings(project.root, ["up", "down"], (f"{1 + 1 / 8192},-0.5", f"{-1 + 3 / 8192},-3.5"))
    # Read as channels, its rows would do: the number of values is the same.
    project.add_model("wrong", first, windowed(["a", "b"]))

    result = project.run(pytester, "--hil-engine=aot", "--hil-target=stm32f4", "--hil-target=nrf51", "-rs")

    assert result.ret == 1
    runs = project.runs()
    assert set(runs) == {"first-only", "one-only", "wide-only", "wrong-only"}
    right, missing, wrong = runs["first-only"], runs["one-only"], runs["wrong-only"]
    assert right.parity is not None
    assert (right.verdict, right.parity.windows, right.parity.accuracy_device, right.parity.bit_exact) == (
        ("pass", 4, 1.0, True)
    )
    of_int16 = runs["wide-only"]
    assert of_int16.parity is not None
    assert (of_int16.verdict, of_int16.parity.windows, of_int16.parity.bit_exact) == ("pass", 4, True)
    assert (of_int16.parity.accuracy_device, of_int16.parity.accuracy_reference) == (1.0, 1.0)
    again = hil("run", "wide", "down", "--variant=only", "--window=1", cwd=project.root)
    # 5 x (-4094 - 32768 / 16) steps go into SOFTMAX, which is 4359.28 of 32768; TFLM's tables take one off.
    assert (again.returncode, again.stdout.count("[4358, 28410]"), again.stdout.count("yes")) == (0, 2, 1)
    assert missing.parity is not None
    assert (missing.verdict, missing.parity.accuracy_device, missing.parity.label_mismatches) == ("fail", 0.5, 0)
    assert (
        missing.over_budget[0]
        == "accuracy of the device: 50.00%, below the budget of at least 90.00% (models/one/model.toml:28)"
    )
    result.stdout.fnmatch_lines(["*slowest preparation of a window: * instructions, * over the budget of 10 (*:29); *"])
    result.stdout.fnmatch_lines(["*slowest window, prepared and inferred: * over the budget of 20 (*:30)"])
    result.stdout.fnmatch_lines(['*takes ?1, 2, 5?, which is channels x window; set layout = "channels-first"*'])
    assert wrong.verdict == "fail"
    result.stdout.fnmatch_lines(["SKIPPED*: left out by model.toml: nobody sells it any more"])
    results = load(project.root / "reports" / "results.json")
    assert results.skipped == {
        f"{name}-only-aot-nrf51": "nobody sells it any more" for name in ("first", "one", "wide", "wrong")
    }
