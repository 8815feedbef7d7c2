"""What operators take on the emulated board: exact, and as much as the tested image needs."""

from __future__ import annotations

import os
import re
from pathlib import Path

import msgspec
import pytest
from support.hil_command import hil
from support.needs import needs_emulator
from support.project_helpers import ROOT
from tflm_hil.engines.tflm.library import VARIABLE
from tflm_hil.results.groups import ProfileFigures
from tflm_hil.results.model import load

pytestmark = needs_emulator
needs_tflm = pytest.mark.skipif(
    VARIABLE not in os.environ, reason=f"{VARIABLE} names no local copy of TensorFlow Lite Micro"
)

# The profile comes first: it needs the board for another image.
TESTS = """
    from tflm_hil.commands.sample import choose_sample
    from tflm_hil.suite import test_operators_add_up_to_the_inference

    def test_the_whole_is_that_of_the_tested_image(operator_profile, device, hil_session):
        sample = choose_sample(hil_session, device.firmware)
        assert sample.name == operator_profile.sample
        assert device.stream([sample.data]).invoke == [operator_profile.whole]
"""
RUN = (f"--rootdir={ROOT}", "-p", "no:cacheprovider", "--board=emulated", "--hil-profile")
BETWEEN = {"aot": range(1, 21), "tflm": range(1, 2_000)}
"""Instructions of an inference that belong to no operator: of `aot`, how it is called; `tflm` walks its network."""


@pytest.mark.parametrize(
    ("engine", "model", "variant", "target"),
    [
        ("aot", "gesture", "int8", "stm32f4"),
        # Each builds two more images.
        pytest.param("aot", "gesture", "float32", "stm32f4", marks=pytest.mark.nightly),
        pytest.param("aot", "gesture_cnn", "int8", "stm32f4", marks=pytest.mark.nightly),
        pytest.param("aot", "gesture", "float32", "nrf51", marks=pytest.mark.nightly),
        pytest.param("aot", "gesture_cnn", "int8", "mps2_an505", marks=pytest.mark.nightly),
        pytest.param("tflm", "gesture", "int8", "stm32f4", marks=[pytest.mark.nightly, needs_tflm]),
    ],
)
def test_operators_add_up_to_what_the_tested_image_takes(
    pytester: pytest.Pytester, engine: str, model: str, variant: str, target: str
) -> None:
    pytester.makepyfile(TESTS)
    reports = pytester.path / "reports"
    result = pytester.runpytest_inprocess(
        *(
            f"--rootdir={ROOT}",
            "-p",
            "no:cacheprovider",
            f"--hil-report={reports}",
            "--board=emulated",
            "--hil-profile",
        ),
        *(f"--hil-engine={engine}", f"--hil-model={model}", f"--hil-target={target}", "-k", variant),
    )
    result.assert_outcomes(passed=2)
    (run,) = (run for run in load(reports / "results.json").runs if run.variant == variant)
    profile = run.profile
    assert profile is not None
    assert (profile.unit, profile.sample) == ("instructions", "window 0 of punch/001")
    assert profile.whole - sum(operator.count for operator in profile.operators) in BETWEEN[engine]
    assert all(operator.count > operator.macs / 4 for operator in profile.operators), "no kernel is as fast as that"
    report = (reports / "report.md").read_text()
    dearest = max(profile.operators, key=lambda operator: operator.count)
    _, table = report.split("Operators, the dearest first", 1)
    first = re.search(r"^\| (\d+) ([^|]*) \| [^|]* \| ([\d,]+) \|", table, re.MULTILINE)
    assert first is not None
    assert first.groups() == (str(dearest.index), dearest.kind, f"{dearest.count:,}")


@pytest.mark.nightly  # the same images as above, once more
def test_the_command_shows_a_window_of_a_recording() -> None:
    arguments = ("profile", "gesture", "punch/017", "--window", "0", "--variant", "int8", "--engine", "aot")
    shown, as_json = hil(*arguments), hil(*arguments, "--json")
    assert not as_json.stderr
    profile = msgspec.json.decode(as_json.stdout, type=ProfileFigures)
    assert profile.sample == "window 0 of punch/017"
    for operator in profile.operators:
        assert re.search(rf"#{operator.index} +{operator.kind} .* {operator.count:,} ", shown.stdout)


@pytest.mark.nightly  # one more session
def test_a_board_that_is_not_to_be_flashed_is_no_failure(pytester: pytest.Pytester, tmp_path: Path) -> None:
    pytester.makepyfile("from tflm_hil.suite import test_operators_add_up_to_the_inference")
    result = pytester.runpytest_inprocess(
        *(
            f"--rootdir={ROOT}",
            "-p",
            "no:cacheprovider",
            f"--hil-report={tmp_path}",
            "--board=/dev/null",
            "--hil-profile",
        ),
        *("--hil-flash=never", "--hil-engine=aot", "--hil-model=gesture", "-k", "int8", "-rs"),
    )
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*/dev/null would have to be flashed with an image that measures steps*"])
