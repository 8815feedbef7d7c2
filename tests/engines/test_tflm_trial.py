"""A copy of TensorFlow Lite Micro that takes one scale for all is found by trying, before anything is built."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from support.compiler_helpers import needs_gcc
from support.targets import STM32F4
from support.tflm_helpers import NAME, pretend_library
from tflm_hil.engines import selection as engines
from tflm_hil.engines.tflm import library as tflm_library
from tflm_hil.engines.tflm import trial as tflm_trial
from tflm_hil.engines.tflm.engine import TflmEngine
from tflm_hil.engines.tflm.library import TflmLibrary, read_library
from tflm_hil.engines.tflm.trial import check_scales, minds_scales
from tflm_hil.errors import HilError
from tflm_hil.firmware.project import FirmwareProject
from tflm_hil.models.manifest import lone_model
from tflm_hil.models.tflite_builder import OperatorSpec, TensorSpec, build
from tflm_hil.models.tflite_file import TensorType, parse

INT8 = TensorType.INT8


@pytest.fixture
def library(tmp_path: Path) -> TflmLibrary:
    return read_library(pretend_library(tmp_path / "tflm"))


def network(scales: list[float]) -> bytes:
    weights = TensorSpec([2, 4], INT8, scales, data=np.ones((2, 4), np.int8))
    ends = [TensorSpec([1, 4], INT8, [0.5], [0]), TensorSpec([1, 2], INT8, [0.5], [0])]
    return build([*ends, weights], [OperatorSpec("FULLY_CONNECTED", [0, 2, -1], [1])], [0], [1])


@pytest.mark.parametrize("scales", [[0.1], [0.1, 0.1]])
def test_one_scale_needs_no_trial(
    scales: list[float], library: TflmLibrary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tflm_trial, "_try", lambda _: pytest.fail("tried"))
    check_scales(tmp_path, parse(network(scales)), library, tmp_path)


@pytest.mark.parametrize(("found", "refused"), [(False, True), (True, False), (None, False)])
def test_several_scales_are_refused_where_the_copy_does_not_mind_them(
    found: bool | None, refused: bool, library: TflmLibrary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tflm_trial, "_try", lambda _: found)
    path = tmp_path / "network.tflite"
    path.write_bytes(network([0.1, 0.2]))
    monkeypatch.setenv("HIL_TFLM_LIB", str(library.directory))
    project, engine = FirmwareProject(tmp_path), TflmEngine()
    if not refused:
        engines.check(engine, path, project)
        assert engine.known_fault(path, project) is None
        return
    with pytest.raises(HilError) as raised:
        engines.build(engine, project, lone_model(path), "tflite", STM32F4)
    said = str(raised.value)
    assert f"operator 0 (FULLY_CONNECTED) has a scale for every output, and {NAME}" in said
    assert said.endswith("; or use engine aot")
    assert engine.known_fault(path, project) == said.removesuffix("; or use engine aot")


def test_the_answer_is_remembered_for_these_sources(
    library: TflmLibrary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel = library.directory / "src/tensorflow/lite/micro/kernels/fully_connected.cc"
    kernel.parent.mkdir()
    kernel.write_text("old")
    monkeypatch.setattr(tflm_trial, "_try", lambda _: False)
    assert minds_scales(library, tmp_path) is False
    monkeypatch.setattr(tflm_trial, "_try", lambda _: True)
    assert minds_scales(library, tmp_path) is False
    kernel.write_text("new")
    assert minds_scales(library, tmp_path) is True


@needs_gcc
def test_a_copy_that_cannot_be_tried_is_not_accused(library: TflmLibrary, tmp_path: Path) -> None:
    assert minds_scales(library, tmp_path / "build") is None
    assert not (tmp_path / "build").exists()


def test_the_newest_of_the_installed_copies_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HIL_TFLM_LIB", raising=False)
    installed = tflm_library.installed_root(tmp_path) / "stm32f4_tflm"
    for version in ("1.9.0", "1.10.1", "0.99"):
        pretend_library(installed / version, version=version)
    found = tflm_library.find(tmp_path)
    assert found is not None
    assert found.version == "1.10.1"


@pytest.mark.nightly
@needs_gcc
@pytest.mark.skipif("HIL_TFLM_LIB" not in os.environ, reason="no copy of TensorFlow Lite Micro: set HIL_TFLM_LIB")
def test_a_real_copy_can_be_tried(tmp_path: Path) -> None:
    assert minds_scales(read_library(Path(os.environ["HIL_TFLM_LIB"])), tmp_path) is not None
