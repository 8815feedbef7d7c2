"""What really changed, from two linked programs to every output: the table, the function, the operator, the window."""

from __future__ import annotations

import html
from pathlib import Path

import msgspec
import pytest
from _pytest.junitxml import LogXML
from support.linked_program import MAIN, linked
from support.made_results import BASE_COMMIT, results, run
from support.targets import STM32F4
from tflm_hil.checks.latency import Latency
from tflm_hil.firmware.image import read_application
from tflm_hil.firmware.symbols import placed_symbols
from tflm_hil.report.github import annotation_lines
from tflm_hil.report.junit import add_verdicts
from tflm_hil.report.publish import publish
from tflm_hil.report.summary import summary_lines
from tflm_hil.results.compare import base_of, compare
from tflm_hil.results.groups import FirmwareFigures, MeaningFigures, OperatorFigures, ParityFigures, ProfileFigures
from tflm_hil.results.judge import judge
from tflm_hil.results.model import Run
from tflm_hil.results.parts import firmware_part
from tflm_hil.results.thresholds import Limits

NAMED = ["ns::table", "int ns::deep<512, int>(int)", "FULLY_CONNECTED dense", "punch/017"]


def measured(folder: Path, main: str, instructions: int, peak: int, output: bytes, accuracy: float) -> Run:
    """A run of the program `main`, with made-up figures of the device."""
    folder.mkdir()
    image = read_application(linked(folder, main=main), STM32F4)
    firmware = msgspec.convert(firmware_part(image, placed_symbols(image), 0), FirmwareFigures)
    firmware.stack_peak_bytes = peak
    operators = [
        OperatorFigures(0, "FULLY_CONNECTED", "dense", instructions - 60),
        OperatorFigures(1, "SOFTMAX", "out", 50),
    ]
    return run(
        firmware=firmware,
        latency=Latency("instructions", 10, 1, instructions, instructions, instructions),
        profile=ProfileFigures("instructions", "punch/017", instructions, operators),
        parity=ParityFigures(1, 0, True, 0.0, 0, "tflite-micro 1", accuracy, accuracy, labelled=1),
        outputs={"punch/017": output.hex()},
        meaning=MeaningFigures(
            "int8", 2, 1, 1 / 256, -128, ["punch", "flex"], None, {"punch/017": "0"}, {"punch/017": [("punch", 1)]}
        ),
    )


@pytest.fixture
def outputs(tmp_path: Path) -> dict[str, str]:
    """Every output of a session that found regressions, as people see it."""
    worse = MAIN.replace("table[2048]", "table[4096]").replace("room[N]", "room[N + 256]")
    before = measured(tmp_path / "before", MAIN, 13_736, 600, b"\x7f\x80", 1.0)
    now = measured(tmp_path / "now", worse, 15_002, 856, b"\x80\x7f", 0.0)
    now.comparison = compare(base_of(before, "baselines/gesture.json", BASE_COMMIT), before, now, Limits())
    published = publish(judge(results(now)), tmp_path)
    junit = LogXML(tmp_path / "junit.xml", None)
    junit.pytest_sessionstart()
    add_verdicts(junit, published.results, set())
    junit.pytest_sessionfinish()
    files = ("results.json", "report.md", "report.html", "pull_request.md", "junit.xml", "code-quality.json")
    return {name: html.unescape((tmp_path / name).read_text()) for name in files} | {
        "terminal": "\n".join(summary_lines(published)),
        "annotations": "\n".join(annotation_lines(published.results)),
    }


def test_every_output_names_what_got_worse(outputs: dict[str, str]) -> None:
    missing = [(output, name) for output, text in outputs.items() for name in NAMED if name not in text]
    assert not missing
