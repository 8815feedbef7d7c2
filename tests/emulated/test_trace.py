"""The operator that goes wrong is named: faults are put into single kernels, and the suite is run."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from support import fake_board
from support.fake_device import Misbehaviour
from support.needs import needs_emulator
from support.plugin_helpers import PREDICTIONS
from support.project_helpers import ROOT, Project
from support.targets import STM32F4
from tflm_hil.checks.tensors import compare_tensor
from tflm_hil.checks.tolerance import Tolerance
from tflm_hil.commands.trace import Layer, Trace
from tflm_hil.compiler import compile_model
from tflm_hil.engines.aot.engine import AotEngine
from tflm_hil.firmware.project import FirmwareProject
from tflm_hil.models.manifest import load_models
from tflm_hil.models.preprocess import Quantization
from tflm_hil.models.tflite_builder import OperatorSpec, TensorSpec, build
from tflm_hil.models.tflite_file import TensorType, parse

pytestmark = needs_emulator

GESTURE = ROOT / "models" / "gesture"
INT8 = TensorType.INT8


def chain(rows: int) -> bytes:
    """ADD, RELU, SUB and SOFTMAX one after another, on `rows` x 20 elements; SUB's constant is reshaped first."""
    shape = [1, rows, 20]
    tensors = [
        TensorSpec(shape, INT8, [0.1], [-5]),
        TensorSpec(shape[2:], INT8, [0.05], [0], data=np.full(20, 40, np.int8)),
        TensorSpec(shape, INT8, [0.12], [0], name="shifted"),
        TensorSpec(shape, INT8, [0.1], [-128], name="positive"),
        TensorSpec(shape, INT8, [0.11], [3]),
        TensorSpec(shape, INT8, [1 / 256], [-128]),
        TensorSpec([2], TensorType.INT32, data=np.array([1, 20], np.int32)),
        TensorSpec([1, 20], INT8, [0.05], [0]),
    ]
    plain = {"FusedActivationFunction": 0}
    operators = [
        OperatorSpec("RESHAPE", [1, 6], [7], {}),
        OperatorSpec("ADD", [0, 1], [2], plain),
        OperatorSpec("RELU", [2], [3]),
        OperatorSpec("SUB", [3, 7], [4], plain),
        OperatorSpec("SOFTMAX", [4], [5], {"Beta": 1.0}),
    ]
    return build(tensors, operators, [0], [5])


def spoil(firmware: Path, tflite: Path, operator: int, fault: str, scratch: Path) -> None:
    """Let the kernel that this operator calls do `fault` to its output `y` when it has done its work."""
    scratch.mkdir()
    compile_model(tflite, scratch)
    called = re.search(rf"(\w+)\(&op{operator},", (scratch / "aot_model.c").read_text())
    assert called is not None
    head = re.compile(rf"^void {called[1]}\(([^)]*)\) {{$", re.MULTILINE)
    for source in (firmware / "lib" / "aot" / "kernels").rglob("*.c"):
        text = source.read_text()
        if found := head.search(text):
            names = re.findall(r"(\w+)(?:,|$)", found[1])
            text = head.sub(f"static void right({found[1]}) {{", text)
            wrapper = f"void {called[1]}({found[1]}) {{ right({', '.join(names)}); {fault.replace('y', names[-1])} }}"
            source.write_text(f"{text}\n{wrapper}\n")
            return
    pytest.fail(f"no source has {called[1]}")


# Each compiles a copy of the firmware. make test keeps the fault in a chain of operators, below.
@pytest.mark.nightly
@pytest.mark.parametrize(
    ("variant", "operator", "fault", "said"),
    [
        ("int8", 3, "y[1] ^= 1;", r"operator 3 \(SOFTMAX\), tensor 10 '.*': 1 of 3 elements differ; most at \[0, 1\]"),
        ("float32", 0, "y[1] += 0.5f;", r"operator 0 \(FULLY_CONNECTED\), tensor 7 '.*': 1 of 50 elements .* \[0, 1\]"),
    ],
)
def test_a_fault_in_a_kernel_is_found_in_its_operator(
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    variant: str,
    operator: int,
    fault: str,
    said: str,
) -> None:
    project = Project(tmp_path / "project")
    project.copy_model("gesture")
    tflite = GESTURE / f"gesture_{variant}.tflite"
    spoil(project.own_firmware(monkeypatch), tflite, operator, fault, tmp_path / "scratch")
    result = project.run(pytester, "--hil-engine=aot", "-k", f"predictions and {variant} and punch")
    result.assert_outcomes(failed=1)
    result.stdout.re_match_lines(
        [
            r".*again: hil run gesture punch/\d+ --window 0 --variant .*",
            rf".*on window 0 of punch/\d+ the first to differ is {said}: device \S+( \(\S+\))?, reference .*",
            r".*operator by operator: hil trace gesture punch/\d+ --window 0 --variant .*",
        ]
    )


def test_the_operators_before_it_agree_and_those_behind_it_are_not_blamed(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    project = Project(tmp_path / "project")
    project.add_model("chain", chain(1))
    tflite = project.root / "models" / "chain" / "network.tflite"
    fault = "for (int i = 0; i < 20; i++) { ((int8_t *)y)[i] = 5; }"
    spoil(project.own_firmware(monkeypatch), tflite, 2, fault, tmp_path / "scratch")
    result = project.run(pytester, "--hil-engine=aot", "--hil-trace", "-k", "outputs or every_operator")
    result.assert_outcomes(failed=2)
    first = "*on random 1 the first to differ is operator 2 (RELU), tensor 3 'positive': * of 20 elements differ*"
    result.stdout.fnmatch_lines([first, "*operator by operator: hil trace chain 'random 1' --variant only*"])
    result.stdout.no_fnmatch_line("*does not show*")
    assert "operator 2 (RELU)" in (project.runs()["chain-only"].trace or "")
    assert "Operators: on random 1 the first to differ" in (project.root / "reports" / "report.md").read_text()
    assert len(re.findall(r"operator 2 \(RELU\)", result.stdout.str())) >= 2, "the test of every operator says so too"


@pytest.mark.nightly
def test_a_debug_image_that_does_not_fit_says_which_targets_have_room(
    pytester: pytest.Pytester, tmp_path: Path
) -> None:
    project = Project(tmp_path / "project")
    project.add_model("chain", chain(150))
    result = project.run(
        pytester, "--hil-engine=aot", "--hil-target=nrf51", "--hil-trace", "-k", "every_operator or outputs"
    )
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.re_match_lines([r".*nrf51_aot_debug: .* exceeds RAM by \d+ bytes; .* target stm32f4 .*"])


@pytest.mark.nightly  # another debug image
def test_a_board_that_the_harness_does_not_flash_gets_a_command_for_later(pytester: pytest.Pytester) -> None:
    build_id = FirmwareProject(ROOT / ".hil").build(load_models(ROOT)["gesture"], "int8", AotEngine(), STM32F4).build_id
    pytester.makepyfile(test_predictions=PREDICTIONS)
    with fake_board.running("gesture", "int8", build_id, Misbehaviour.LIE) as port:
        result = pytester.runpytest_inprocess(
            *(f"--rootdir={ROOT}", "-p", "no:cacheprovider", f"--hil-report={pytester.path / 'reports'}"),
            *(
                f"--board={port}",
                "--hil-flash=never",
                "--hil-engine=aot",
                "--hil-model=gesture",
                "-k",
                "int8 and punch",
            ),
        )
    result.assert_outcomes(failed=1)
    result.stdout.re_match_lines(
        [rf".*write \S+_debug/\S+\.bin to the board, then: hil trace gesture punch/.* --board {re.escape(port)}"]
    )


def test_what_the_device_does_not_show_is_said() -> None:
    graph = parse(chain(1))
    zeros, ones = np.zeros(4, np.int8), np.ones(4, np.int8)
    difference = compare_tensor(ones, zeros, Tolerance(), Quantization(np.dtype(np.int8), 0.5, 0))
    shown = Layer(graph.operators[1], graph.tensors[2], True, None)
    hidden = Layer(graph.operators[2], graph.tensors[3], False, None)
    wrong = Layer(graph.operators[3], graph.tensors[4], True, difference)
    assert str(Trace("ramp", [shown, hidden, wrong])) == (
        "on ramp the first to differ is operator 3 (SUB), tensor 4 't': 4 of 4 elements differ; most at [0]: "
        "device 1 (0.5), reference 0 (0) (the device does not show operator 2 (RELU))"
    )
    assert str(Trace("ramp", [shown, hidden])) == (
        "on ramp every operator computes what the reference computes (the device does not show operator 2 (RELU))"
    )
