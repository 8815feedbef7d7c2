"""Targets that a project adds: the suite on them, and what is said of wrong ones."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.firmware_helpers import ROOT
from support.hil_command import hil
from support.needs import needs_compiler, skip_without_tools

EXAMPLES = ROOT / "examples"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The example that adds a target, and the model that it is tested with."""
    for name in ("own-target", "wave"):
        shutil.copytree(EXAMPLES / name, tmp_path / name, ignore=shutil.ignore_patterns(".hil", "reports"))
    return tmp_path / "own-target"


def documented() -> str:
    """The file that the documentation shows first; the other is a part of one."""
    text = (ROOT / "docs" / "add-your-own-target.md").read_text(encoding="utf-8")
    block, *_ = re.findall(r"```toml\n(schema = .*?)```", text, flags=re.DOTALL)
    return str(block)


def run(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("HIL_", "PYTEST_"))}
    command = [sys.executable, "-m", "pytest", "--board=emulated", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, cwd=project, env=variables, capture_output=True, text=True, check=False)


@pytest.mark.nightly  # It builds two firmwares from nothing, one of which has a part of its own.
def test_the_suite_passes_on_the_targets_of_the_example_and_of_the_documentation(project: Path) -> None:
    skip_without_tools()
    (project / "targets" / "sensor_node.toml").write_text(documented())
    done = run(project, "--hil-target=lm3s6965", "--hil-target=sensor_node")
    assert done.returncode == 0, done.stdout + done.stderr
    runs = {run["target"]: run for run in json.loads((project / "reports" / "results.json").read_text())["runs"]}
    assert set(runs) == {"lm3s6965", "sensor_node"}
    for run_ in runs.values():
        assert (run_["verdict"], run_["parity"]["bit_exact"], run_["latency"]["unit"]) == ("pass", True, "instructions")
    report = (project / "reports" / "report.md").read_text()
    assert "| wave-int8-aot | lm3s6965 | Cortex-M3 |" in report
    assert "| wave-int8-aot | sensor_node | Cortex-M4 |" in report


def test_a_targets_folder_may_have_another_name(project: Path) -> None:
    (project / "targets").rename(project / "chips")
    assert "lm3s6965" not in hil("targets", cwd=project).stdout
    settings = project / "hil.toml"
    settings.write_text(f'{settings.read_text()}targets = "chips"\n')
    (line,) = [line for line in hil("targets", cwd=project).stdout.splitlines() if "lm3s6965" in line]
    assert line.split()[-1] == "chips/lm3s6965.toml"
    assert "64K" in line


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        (
            "lm3s6965",
            "clock_hz",
            "clock",
            "lm3s6965.toml: Object contains unknown field `clock`; did you mean clock_hz?",
        ),
        ("lm3s6965", "[qemu]", "[[qemu]]", "lm3s6965.toml: Expected `object"),
        ("nrf51", "", "", "nrf51.toml: tflm-hil has a target nrf51 already; rename the file"),
    ],
)
def test_a_wrong_file_is_one_line(project: Path, name: str, old: str, new: str, said: str) -> None:
    source = project / "targets" / "lm3s6965.toml"
    text = source.read_text().replace(old, new)
    source.rename(source.with_stem(name)).write_text(text)
    done = hil("targets", cwd=project)
    assert done.returncode == 1
    (line,) = done.stderr.strip().splitlines()
    assert said in line


def test_a_wrong_file_is_a_usage_error_of_the_suite(project: Path) -> None:
    (project / "targets" / "empty.toml").touch()
    done = run(project)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    (line,) = done.stderr.strip().splitlines()
    assert 'empty.toml: Object missing required field `schema`; write schema = "hil-target/1"' in line


@needs_compiler
@pytest.mark.parametrize(("name", "said"), [("lm3s9999", "neither a folder"), ("mps2", "both a folder")])
def test_a_part_is_in_one_place(project: Path, name: str, said: str) -> None:
    file = project / "targets" / "lm3s6965.toml"
    file.write_text(file.read_text().replace('"lm3s6965"]', f'"{name}"]'))
    (project / "targets" / "mps2").mkdir()
    done = hil("build", "wave", cwd=project)
    assert done.returncode == 1
    (line,) = done.stderr.strip().splitlines()
    assert f"error: {file}: part {name!r} is {said} of " in line
    assert "/lib/board and one beside this file; rename it; see " in line
