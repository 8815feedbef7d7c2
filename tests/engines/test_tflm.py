"""The tflm engine, really built from a local copy of TensorFlow Lite Micro and run on the emulated board."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from support.firmware_helpers import ROOT
from support.needs import skip_without_tools
from support.targets import STM32F4
from tflm_hil.boards.qemu import program as qemu_program
from tflm_hil.boards.qemu.board import QemuBoard
from tflm_hil.device.client import Client
from tflm_hil.device.uart_log import UartLog
from tflm_hil.engines.tflm.arena import STEP, ArenaCache, Trial, outcome
from tflm_hil.engines.tflm.engine import TflmEngine
from tflm_hil.engines.tflm.library import VARIABLE, find
from tflm_hil.errors import HilError
from tflm_hil.firmware import platformio
from tflm_hil.firmware.build_dir import PROGRAM, BuildDir
from tflm_hil.firmware.image import FirmwareImage
from tflm_hil.firmware.image_kind import ImageKind
from tflm_hil.firmware.project import FirmwareProject
from tflm_hil.models.manifest import Model, load_models
from tflm_hil.models.preprocess import prepare
from tflm_hil.models.reference import Reference
from tflm_hil.recordings.windows import windows

TARGET, ENGINE = STM32F4, "tflm"
WINDOWS = 5


@pytest.fixture(scope="module", autouse=True)
def tools() -> None:
    if not os.environ.get(VARIABLE):
        pytest.skip(f"{VARIABLE} names no local copy of TensorFlow Lite Micro")
    skip_without_tools()


@pytest.fixture(scope="module")
def project() -> FirmwareProject:
    """The project itself: what it has compiled of the library is used, and left for others."""
    return FirmwareProject(ROOT / ".hil", qemu_program.run)


@pytest.fixture(scope="module")
def model() -> Model:
    return load_models(ROOT)["gesture"]


@pytest.fixture(scope="module")
def image(project: FirmwareProject, model: Model) -> FirmwareImage:
    return project.build(model, "int8", TflmEngine(), TARGET)


@contextmanager
def running(image: FirmwareImage, directory: Path) -> Iterator[Client]:
    board = QemuBoard("emulated", directory)
    try:
        board.flash(image)
        client = Client(board.connect(), UartLog(directory / "uart.log"), timeout=5.0, retries=2)
        client.hello()
        yield client
    finally:
        board.close()


def rows(model: Model) -> np.ndarray:
    limits = np.iinfo(np.int16)
    shape = (model.window + model.stride * (WINDOWS - 1), len(model.channels))
    return np.random.default_rng(3).integers(limits.min, limits.max, shape, np.int16, endpoint=True)


def test_the_image_names_the_library_and_answers_bit_by_bit_like_the_host(
    image: FirmwareImage, model: Model, tmp_path: Path
) -> None:
    reference = Reference(model.variants["int8"].path)
    raw = rows(model)
    with running(image, tmp_path) as client:
        info = client.hello()
        results = client.stream(raw)
    library = find(ROOT / ".hil")
    assert (info.engine, info.engine_version) == (ENGINE, str(library))
    expected = reference.run(
        prepare(windows(raw, model.window, model.stride), model.channels, reference.input_quantization)
    )
    assert len(results) == WINDOWS
    assert b"".join(result.outputs for result in results) == expected.tobytes()


def test_nothing_of_a_heap_of_exceptions_or_of_printf_is_linked(image: FirmwareImage) -> None:
    unwanted = {"malloc", "_malloc_r", "_sbrk", "printf", "vsnprintf", "vfprintf", "raise", "__cxa_throw", "_exit"}
    assert not {symbol.name for symbol in image.symbols} & unwanted
    assert image.symbols[0].name == "tflm_model", "the network is the largest object, and it is in flash"
    assert image.symbols[0].section == ".text"


def test_only_the_operators_of_the_network_are_linked(image: FirmwareImage) -> None:
    kernels = {symbol.name for symbol in image.symbols if "Register_" in symbol.name}
    assert len(kernels) == 2
    assert all("FULLY_CONNECTED" in name or "SOFTMAX" in name for name in kernels)


def test_the_arena_is_the_smallest_that_runs(image: FirmwareImage, tmp_path: Path) -> None:
    with running(image, tmp_path) as client:
        arena = client.hello().arena_bytes
    sizes = {symbol.name: symbol.size for symbol in image.symbols}
    assert arena in sizes.values()
    search = image.generated.parent / "search" / f"{TARGET.name}_{ENGINE}" / PROGRAM
    if not search.is_file():
        pytest.skip("the size was remembered, and the program that found it is gone")
    sizes_tried = (arena, arena - STEP, 1 << 24)
    outcomes = [outcome(qemu_program.run(TARGET, search, str(size))) for size in sizes_tried]
    assert outcomes == [Trial.FITS, Trial.TOO_SMALL, Trial.NO_MORE_RAM]


def test_the_library_is_compiled_once_for_all(
    image: FirmwareImage, project: FirmwareProject, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert image.elf.is_file()
    shutil.rmtree(project.build_root / "firmware" / f"gesture-float32-{TARGET.name}_{ENGINE}_debug", ignore_errors=True)
    said: list[str] = []
    run = platformio.run
    built: list[str] = []

    def counted(build_dir: BuildDir, *rest: object) -> None:
        built.append(build_dir.environment)
        run(build_dir, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(platformio, "run", counted)
    project.build(model, "float32", TflmEngine(), TARGET, ImageKind.DEBUG, say=said.append)
    assert built
    assert not [text for text in said if text.startswith("compiling")]


def test_a_debug_image_shows_every_tensor_as_the_host_computes_it(
    project: FirmwareProject, model: Model, tmp_path: Path
) -> None:
    reference = Reference(model.variants["int8"].path)
    raw = rows(model)[: model.window]
    window = prepare(windows(raw, model.window, model.stride), model.channels, reference.input_quantization)
    with running(project.build(model, "int8", TflmEngine(), TARGET, ImageKind.DEBUG), tmp_path) as client:
        client.stream(raw)
        for index, expected in reference.tensors([window[0]]).items():
            assert client.tensor(index) == expected.tobytes(), reference.graph.tensors[index].name


def test_without_an_emulator_an_unknown_arena_is_an_error_with_the_remedy(
    project: FirmwareProject, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ArenaCache, "recall", lambda *_: None)
    shutil.rmtree(project.build_root / "firmware" / f"gesture-float32-{TARGET.name}_{ENGINE}", ignore_errors=True)
    with pytest.raises(HilError, match="is found in an emulator, and there is none: apt-get install qemu-system-arm"):
        FirmwareProject(ROOT / ".hil").build(model, "float32", TflmEngine(), TARGET)
