"""Real regressions, introduced into a scratch copy of the firmware: each is caught, and named in every output."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from junitparser import JUnitXml
from support.needs import skip_without_tools
from support.project_helpers import ROOT, Project
from tflm_hil.models.tflite_file import read
from tflm_hil.results.model import load

REGRESSED, WRONG = 8, 1
RUN = "gesture-int8-aot-stm32f4"
FILES = ("results.json", "junit.xml", "report.md", "report.html", "pull_request.md")


@dataclass(frozen=True)
class Regression:
    """A change of the firmware or of the model. `named` is said of it in every output, and so is `metric`, if any."""

    introduce: Callable[[Path], None]
    status: int
    metric: str
    named: str


def edit(file: str, old: str, new: str) -> Callable[[Path], None]:
    """Put `new` in the place of `old` in a `file` of the firmware."""

    def introduce(root: Path) -> None:
        path = root / "firmware" / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    return introduce


def truncate_weights(root: Path) -> None:
    """Quantize the weights of the dense layers without their two lowest bits, rounded down."""
    path = root / "models" / "gesture" / "gesture_int8.tflite"
    content = path.read_bytes()
    for tensor in read(path).tensors:
        weights = tensor.data.tobytes() if tensor.data is not None and tensor.data.ndim == 2 else b""
        if weights:
            assert content.count(weights) == 1
            content = content.replace(weights, bytes(weight & 0xFC for weight in weights))
    path.write_bytes(content)


PREPARE = "void windowing_prepare(const windowing_t *windowing, const hil_tensor_t *input) {"
KERNEL = "void aot_fully_connected_s8(const aot_fully_connected_s8_t *layer, const int8_t *x, int8_t *y) {"
INVOKE = "bool engine_invoke(void) {"
TABLE = f"""static const uint8_t gamma_table[2048] = {{1}};

{PREPARE}
    __asm volatile("" : : "r"(gamma_table));"""
NOPS = f"""{KERNEL}
    for (uint32_t i = 0; i < layer->columns; i++) {{
        __asm volatile("nop");
    }}"""
ROOM = f"""{INVOKE}
    volatile uint8_t room[512];
    room[0] = 0;
    (void)room[0];"""
REGRESSIONS = {
    "an-extra-table": Regression(
        edit("lib/windowing/windowing.c", PREPARE, TABLE), REGRESSED, "firmware.flash_bytes", "gamma_table"
    ),
    "a-slower-kernel": Regression(
        edit("lib/aot/kernels/fully_connected/aot_fully_connected_s8.c", KERNEL, NOPS),
        REGRESSED,
        "latency.median",
        "FULLY_CONNECTED",
    ),
    "a-larger-stack-frame": Regression(
        edit("lib/aot/engine_aot.c", INVOKE, ROOM), REGRESSED, "firmware.stack_peak_bytes", "engine_invoke"
    ),
    "inputs-truncated": Regression(
        edit("lib/windowing/element.h", "round_half_even(x / scale)", "(float)(int32_t)(x / scale)"),
        WRONG,
        "",
        "window 13 of continuous_1",
    ),
    "weights-truncated": Regression(truncate_weights, WRONG, "parity.accuracy_device", "punch/001"),
}


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
    command = ["git", *identity, "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def committed(folder: Path, message: str) -> str:
    """Commit all that is in `folder`, and return the hash of the commit."""
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", message)
    return git(folder, "rev-parse", "HEAD")


@pytest.mark.nightly  # Builds and runs two images twice for each of them.
@pytest.mark.parametrize("regression", REGRESSIONS.values(), ids=REGRESSIONS)
def test_a_regression_is_caught_and_named_in_every_output(
    regression: Regression,
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    skip_without_tools()
    project = Project(tmp_path / "project")
    project.own_firmware(monkeypatch)
    for folder in ("models/gesture", "recordings"):
        shutil.copytree(ROOT / folder, project.root / folder)
    (project.root / "baselines").mkdir()
    (project.root / ".gitignore").write_text(".hil\nreports\n")
    git(project.root, "init", "-q")
    base = committed(project.root, "good")
    how = ("--hil-engine=aot", "-k", "int8", "--hil-profile", f"--hil-baseline={project.root / 'baselines'}")
    good = project.run(pytester, *how, "--hil-update-baseline")
    assert good.ret == 0, str(good.stdout)

    regression.introduce(project.root)
    committed(project.root, "bad")
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    bad = project.run(pytester, *how)
    outputs = {name: (project.root / "reports" / name).read_text() for name in FILES} | {
        "annotations.txt": "\n".join(line for line in bad.outlines if line.startswith("::error")),
        "terminal.txt": str(bad.stdout),
        "summary.md": summary.read_text(),
    }
    assert bad.ret == regression.status, outputs["terminal.txt"]
    (run,) = [run for run in load(project.root / "reports" / "results.json").runs if run.name == RUN]
    assert run.verdict == "fail"
    assert run.comparison
    assert run.comparison.base.commit == base
    for name, text in outputs.items():
        assert regression.named in text, name
        assert regression.metric in text, name
    for name in ("pull_request.md", "report.md", "report.html", "summary.md"):
        assert base[:7] in outputs[name], name
    assert not regression.metric or regression.metric in [change.metric for change in run.comparison.regressions]
    suites = JUnitXml.fromstring(outputs["junit.xml"].encode())
    assert suites.failures + suites.errors > 0
