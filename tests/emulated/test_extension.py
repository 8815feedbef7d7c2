"""A board kind and an engine of another distribution: installed, run by the suite, named in the results."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.distributions import installed, write_distribution
from support.firmware_helpers import ROOT
from support.hil_command import hil
from support.needs import needs_emulator
from support.once import once
from support.project_helpers import Project
from tflm_hil.models.tflite_builder import OperatorSpec, TensorSpec, build
from tflm_hil.models.tflite_file import TensorType
from tflm_hil.results.model import load

EXAMPLE = ROOT / "examples" / "extension"
BROKEN = {"tflm_hil.boards": {"broken": "broken:Kind"}, "tflm_hil.engines": {"broken": "broken:Engine"}}


def install(folder: Path) -> None:
    """As `pip install` does it, without asking anybody for anything."""
    source = folder / "source"
    shutil.copytree(EXAMPLE, source)
    options = ["--offline", "--quiet", "--no-deps", "--no-build-isolation", "--python", sys.executable]
    uv = [sys.executable, "-m", "uv", "pip", "install"]
    subprocess.run([*uv, *options, "--target", str(folder / "site"), str(source)], check=True)


@pytest.fixture
def site() -> Iterator[Path]:
    """Where the example is installed; this process finds it."""
    site = once("extension", install) / "site"
    with installed(site):
        yield site


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """One with a network that every engine takes."""
    project = Project(tmp_path / "project")
    tensors = [TensorSpec([1, 6], TensorType.FLOAT32, name=name) for name in ("a", "b", "sum")]
    project.add_model("sum", build(tensors, [OperatorSpec("ADD", [0, 1], [2], {})], [0, 1], [2]))
    return project


@pytest.fixture(autouse=True)
def no_tflm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the library, which takes minutes to compile."""
    monkeypatch.delenv("HIL_TFLM_LIB", raising=False)
    monkeypatch.setattr("tflm_hil.engines.tflm.library.registry_answers", lambda: False)


@pytest.mark.nightly  # It installs a distribution and builds with it.
@needs_emulator
@pytest.mark.usefixtures("site")
def test_the_suite_passes_with_a_board_and_an_engine_of_another_distribution(
    pytester: pytest.Pytester, project: Project
) -> None:
    result = project.run(pytester, "--board=labqemu:", "--hil-engine=auto")
    result.assert_outcomes(passed=8, skipped=4)
    result.stdout.fnmatch_lines(
        ["hil: board labqemu: (labqemu 9, stm32f4), link uart, engines aot, mine, models sum (only)"]
    )
    results = load(project.root / "reports" / "results.json")
    assert [run.name for run in results.runs] == ["sum-only-aot-stm32f4", "sum-only-mine-stm32f4"]
    assert results.toolchain["mine"] == "9"
    for run in results.runs:
        assert (run.board, run.emulator, run.verdict) == ("labqemu:", "labqemu 9", "pass")
        assert run.latency is not None
        assert run.latency.unit == "instructions"
    arenas = [run.firmware.arena_bytes for run in results.runs if run.firmware]
    assert arenas == [2 * 6 * 4, 3 * 6 * 4], "the C of mine ran: it does not write over an input"


@pytest.fixture
def broken(tmp_path: Path) -> Iterator[None]:
    """A distribution that cannot be imported, with a board and an engine."""
    write_distribution(tmp_path / "site", "broken", BROKEN, {"broken": "import missing_library"})
    with installed(tmp_path / "site"):
        yield


@needs_emulator
@pytest.mark.usefixtures("broken")
@pytest.mark.parametrize(
    ("options", "entry"),
    [(["--board=broken:"], "broken = broken:Kind"), (["--hil-engine=broken"], "broken = broken:Engine")],
)
def test_a_broken_one_that_is_asked_for_is_a_usage_error_of_one_line(
    pytester: pytest.Pytester, project: Project, options: list[str], entry: str
) -> None:
    result = project.run(pytester, *options)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    said = f"broken 9, entry point {entry}: ModuleNotFoundError: No module named 'missing_library' *"
    result.stderr.fnmatch_lines([f"ERROR: {said}; mend or uninstall it"])
    assert "Traceback" not in result.stderr.str() + result.stdout.str()
    command = ["--board", "broken:"] if "board" in options[0] else ["--engine", "broken"]
    told = hil("trace", "sum", *command, cwd=project.root)
    assert told.returncode == 1
    assert told.stderr.startswith(f"hil: broken 9, entry point {entry}: ModuleNotFoundError: ")
    assert len(told.stderr.splitlines()) == 1


@needs_emulator
@pytest.mark.usefixtures("broken")
def test_a_broken_one_that_nobody_asked_for_stops_nothing(pytester: pytest.Pytester, project: Project) -> None:
    result = project.run(pytester, "--hil-engine=auto", "--collect-only")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["hil: without engine broken: broken 9, entry point broken = broken:Engine: *"])


@needs_emulator
@pytest.mark.usefixtures("site")
def test_one_that_fails_in_the_middle_fails_its_tests_in_one_line(
    pytester: pytest.Pytester, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise KeyError("no such\nprobe")

    from hil_lab.board import LabQemu

    monkeypatch.setattr(LabQemu, "boot", fail)
    result = project.run(pytester, "--board=labqemu:", "--hil-engine=mine", "-k", "footprint")
    result.assert_outcomes(errors=1)
    said = "hil-lab 9, entry point labqemu = hil_lab.board:LabQemuKind: KeyError: 'no such*probe'"
    result.stdout.fnmatch_lines([f"*{said}*"])
    assert "Traceback" not in result.stdout.str()
    assert "in boot" not in result.stdout.str()
