"""Which engines a run uses, ours and those of other distributions; and which one is named if a network is refused."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.distributions import installed, write_distribution
from support.firmware_helpers import ROOT
from support.targets import STM32F4
from tflm_hil import extensions
from tflm_hil.engines import selection
from tflm_hil.engines.aot.engine import AotEngine
from tflm_hil.engines.engine import Engine
from tflm_hil.engines.selection import GROUP, choose, load
from tflm_hil.errors import HilError
from tflm_hil.extensions import ExtensionError
from tflm_hil.firmware.generator import Job
from tflm_hil.firmware.memory import TooLargeError
from tflm_hil.firmware.project import FirmwareProject
from tflm_hil.models.manifest import load_models

BROKEN = "raise RuntimeError('half installed')"
LACKING = """
class Engine:
    name, compiles = "mine", True
    def unavailable(self, project, offline=False):
        {unavailable}
    def check(self, tflite, project, say=None):
        {check}
"""


@pytest.fixture(autouse=True)
def no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HIL_TFLM_LIB", raising=False)
    monkeypatch.setattr("tflm_hil.engines.tflm.library.registry_answers", lambda: False)


@pytest.fixture
def project(tmp_path: Path) -> FirmwareProject:
    return FirmwareProject(tmp_path / ".hil")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    with installed(tmp_path / "site"):
        yield tmp_path / "site"
    sys.modules.pop("mine_engine", None)


def install(folder: Path, text: str) -> None:
    write_distribution(folder, "mine", {GROUP: {"mine": "mine_engine:Engine"}}, {"mine_engine": text})


def lacking(unavailable: str = "return None", check: str = "return None") -> str:
    return LACKING.format(unavailable=unavailable, check=check)


def test_auto_takes_what_there_is_and_says_what_is_missing(project: FirmwareProject, folder: Path) -> None:
    install(folder, lacking())
    found, missing = choose("auto", project)
    assert [engine.name for engine in found] == ["aot", "mine"]
    assert list(missing) == ["tflm"]
    assert "HIL_TFLM_LIB" in missing["tflm"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (BROKEN, "RuntimeError: half installed"),
        (lacking(unavailable="return 1 / 0"), "ZeroDivisionError: division by zero"),
        (lacking().replace('"mine"', '"other"'), "the engine calls itself 'other'; give both the same name"),
        (lacking(unavailable="return 'buy a licence'"), "buy a licence"),
    ],
)
def test_one_that_nobody_asked_for_stops_no_other(project: FirmwareProject, folder: Path, text: str, said: str) -> None:
    install(folder, text)
    found, missing = choose("auto", project)
    assert [engine.name for engine in found] == ["aot"]
    assert said in missing["mine"]
    assert [engine.name for engine in choose("aot", project)[0]] == ["aot"]
    with pytest.raises(HilError, match=said):
        choose("mine", project)


@pytest.mark.parametrize("name", ["all", "external", "auto", "a/b", "with blank", "../x", "über"])
def test_a_name_that_cannot_be_one_is_told(project: FirmwareProject, folder: Path, name: str) -> None:
    write_distribution(folder, "mine", {GROUP: {name: "mine_engine:Engine"}}, {"mine_engine": lacking()})
    extensions.discover.cache_clear()
    found, missing = choose("auto", project)
    assert [engine.name for engine in found] == ["aot"]
    assert "no engine may have this name" in missing[name]


def check_gesture(engine: Engine, project: FirmwareProject) -> None:
    selection.check(engine, load_models(ROOT)["gesture"].variants["int8"].path, project)


@pytest.mark.parametrize(
    ("method", "ask", "said"),
    [
        ("versions(self, project): return 9", selection.versions, "versions() returns 9; it should be of type Mapping"),
        ("check(self, *_): return 'yes'", check_gesture, "check() returns 'yes'; it should be of type Estimate"),
    ],
)
def test_what_is_returned_and_makes_no_sense_is_one_line(
    project: FirmwareProject, folder: Path, method: str, ask: Callable[..., object], said: str
) -> None:
    install(folder, f"{lacking()}\n    def {method}\n")
    with pytest.raises(HilError, match=f"^engine mine: {re.escape(said)}$"):
        ask(load("mine"), project)


def test_sources_that_are_none_are_told(project: FirmwareProject) -> None:
    class Absent(AotEngine):
        def generate(self, _job: Job) -> Any:
            return None

    with pytest.raises(HilError, match=r"^engine aot: generate\(\) returns None; it should be of type Generated$"):
        project.build(load_models(ROOT)["gesture"], "int8", Absent(), STM32F4)


def test_what_the_user_has_set_up_wrongly_is_told_even_if_nobody_asked(
    project: FirmwareProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HIL_TFLM_LIB", "/nowhere")
    with pytest.raises(HilError, match="HIL_TFLM_LIB=/nowhere: is no directory"):
        choose("auto", project)


def test_an_unknown_one_is_told_with_those_that_are_there(project: FirmwareProject, folder: Path) -> None:
    install(folder, BROKEN)
    with pytest.raises(HilError) as raised:
        choose("onnx", project)
    assert str(raised.value) == "unknown engine onnx; choose auto, aot, tflm or mine"
    assert "mine_engine" not in sys.modules


def test_a_broken_one_is_no_way_out_of_a_refusal(project: FirmwareProject, folder: Path) -> None:
    install(folder, lacking(check="raise KeyError('x')"))

    class Refusing(AotEngine):
        name = "refusing"

        def check(self, *_: object) -> None:  # type: ignore[override]
            raise HilError("no")

    model = load_models(ROOT)["gesture"]
    with pytest.raises(HilError) as raised:
        selection.build(Refusing(), project, model, "int8", STM32F4)
    assert str(raised.value) == "no; or use engine aot"
    with pytest.raises(ExtensionError, match=r"mine 9, entry point mine = mine_engine:Engine: KeyError: 'x'"):
        load("mine").check(model.variants["int8"].path, project)


@pytest.mark.parametrize(
    ("compiles", "ways"),
    [(False, "a smaller model or engine aot or --target=a"), (True, "a smaller model or --target=a")],
)
def test_the_way_out_of_too_little_memory_is_compiled_code(project: FirmwareProject, compiles: bool, ways: str) -> None:
    class Large(AotEngine):
        name = "large"

        def build(self, *_: object) -> None:  # type: ignore[override]
            raise TooLargeError("it is large", {"RAM": 1}, None, ["a smaller model", "--target=a"])

    engine = Large()
    engine.compiles = compiles
    with pytest.raises(TooLargeError, match=f"^it is large; use {ways}$"):
        selection.build(engine, project, load_models(ROOT)["gesture"], "int8", STM32F4)
