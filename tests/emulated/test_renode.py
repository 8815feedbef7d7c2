"""The suite on the board that Renode emulates: a real one where it is found, and everywhere the stand-in.

The stand-in is no Renode (support/fake_renode.py). QEMU runs the firmware behind it, so that what passes through the
harness is real: images, streams, resets, counts.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from support.needs import needs_emulator
from support.plugin_helpers import ONE_WINDOW, SUITE, Hil, read_results
from support.renode_installation import install
from support.targets import STM32F4, TARGETS
from tflm_hil.boards.renode import installation
from tflm_hil.boards.renode.board import emulation_of
from tflm_hil.errors import HilError
from tflm_hil.lab import session
from tflm_hil.results.model import Run
from tflm_hil.targets import Target

# Behind the stand-in, SysTick counts at 168 MHz and an instruction takes 64 ns: 10.752 ticks.
RATE = {"mips": 1, "counter_hz": 10_752_000}


@pytest.fixture
def hil(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Hil:
    return Hil(pytester, monkeypatch)


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install the stand-in, and tell the harness at what rate QEMU counts behind it."""
    monkeypatch.setenv(installation.VARIABLE, str(install(tmp_path, STM32F4)))
    targets: dict[str, Target] = dict(TARGETS)
    for target in (STM32F4, TARGETS[SENSING]):
        renode = msgspec.structs.replace(emulation_of(target), **RATE)
        targets[target.name] = msgspec.structs.replace(target, renode=renode)
    monkeypatch.setattr(session, "load_targets", lambda _folder: targets)


SENSING = "stm32f4_lsm6dso"


def check(run: Run) -> None:
    """The stand-in lets QEMU count, so the figures are those of QEMU."""
    assert (run.board, run.emulator) == ("emulated", "renode 1.16.1")
    assert run.parity is not None
    assert run.parity.bit_exact
    assert run.latency is not None
    assert run.latency.unit == "instructions"
    assert 13_000 < run.latency.median < 15_000


@needs_emulator
@pytest.mark.usefixtures("stand_in")
def test_both_emulators_are_held_against_each_other(pytester: pytest.Pytester, hil: Hil) -> None:
    pytester.makepyfile(ONE_WINDOW)
    result = hil("--board=emulated", "--hil-emulator=all", "-k", "int8")
    result.assert_outcomes(passed=2)
    qemu, renode = read_results(pytester).runs
    check(renode)
    assert renode.latency == qemu.latency
    result.stdout.fnmatch_lines(
        [
            "hil: board emulated (qemu *, stm32f4) and emulated (renode *, stm32f4), link rtt and uart, engines aot*",
            f"{renode.name}: as {qemu.emulator}: answers equal, median +0.00%, max +0.00%",
        ]
    )
    assert sorted(log.stem.split("-")[-1] for log in (pytester.path / "reports" / "uart").iterdir()) == [
        "qemu",
        "renode",
    ]


@needs_emulator
@pytest.mark.usefixtures("stand_in")
def test_there_is_no_coverage_of_it(hil: Hil) -> None:
    for emulator in ("renode", "all"):
        result = hil("--board=emulated", f"--hil-emulator={emulator}", "--hil-coverage")
        result.stderr.fnmatch_lines(["ERROR: coverage: nothing sees what emulated (renode *; use the board emulated*"])


@needs_emulator
@pytest.mark.nightly  # 20 s
@pytest.mark.usefixtures("stand_in")
def test_the_suite_passes_on_the_stand_in(pytester: pytest.Pytester, hil: Hil) -> None:
    assert hil(SUITE, "--board=emulated", "--hil-emulator=renode").ret == pytest.ExitCode.OK
    runs = read_results(pytester).runs
    assert [run.verdict for run in runs] == ["pass", "pass"]
    check(runs[1])


@needs_emulator
@pytest.mark.nightly  # It builds another target.
@pytest.mark.usefixtures("stand_in")
def test_a_sensor_that_does_not_answer_fails_one_test(pytester: pytest.Pytester, hil: Hil) -> None:
    """Behind the stand-in there is a QEMU, which has neither the sensor nor its bus: all waits of the driver end."""
    result = hil(SUITE, "--board=emulated", "--hil-emulator=renode", f"--hil-target={SENSING}", "-k", "int8")
    result.assert_outcomes(passed=8, failed=1)
    result.stdout.fnmatch_lines(["*SENSE: failed on the device: the sensor does not answer on its bus*"])
    (run,) = (run for run in read_results(pytester).runs if run.current)
    check(run)


@needs_emulator
@pytest.mark.parametrize("target", [target.name for target in TARGETS.values() if target.build and target.renode])
def test_the_suite_passes_on_a_real_renode(pytester: pytest.Pytester, hil: Hil, target: str) -> None:
    try:
        installation.version(installation.find())
    except HilError as error:
        pytest.skip(str(error))
    arguments = ("--board=emulated", "--hil-emulator=renode", f"--hil-target={target}", "-k", "int8")
    assert hil(SUITE, *arguments).ret == pytest.ExitCode.OK
    counted = [run.latency for run in read_results(pytester).runs if run.current]
    assert hil(SUITE, *arguments).ret == pytest.ExitCode.OK
    assert counted == [run.latency for run in read_results(pytester).runs if run.current]
