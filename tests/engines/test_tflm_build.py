"""How the tflm engine is built: in which order, what is done once, and what is said; nothing is compiled."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from support.firmware_helpers import ROOT
from support.targets import STM32F4, TARGETS
from support.tflm_helpers import NAME, VERSION, pretend_library
from tflm_hil.engines import selection as engines
from tflm_hil.engines.tflm import build as tflm_engine
from tflm_hil.engines.tflm import library as tflm_library
from tflm_hil.engines.tflm.arena import Trial
from tflm_hil.engines.tflm.build import TOTAL, generate, progress, provide
from tflm_hil.engines.tflm.engine import TflmEngine
from tflm_hil.engines.tflm.library import read_library
from tflm_hil.errors import HilError
from tflm_hil.firmware import platformio, project, toolchain
from tflm_hil.firmware.build_dir import BuildDir
from tflm_hil.firmware.generator import Job
from tflm_hil.firmware.image_kind import ImageKind
from tflm_hil.firmware.project import FirmwareProject
from tflm_hil.models.manifest import load_models, lone_model
from tflm_hil.models.tflite_builder import OperatorSpec, TensorSpec, build
from tflm_hil.models.tflite_file import TensorType, read
from tflm_hil.progress import Say, silent
from tflm_hil.targets import Target

ARENA = 1920
INI = "[tflm]\nlibrary = owner/package@1.0\n"


class World:
    """A project with a network and a library, and a record of what PlatformIO was asked."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.library = pretend_library(root / "copy")
        self.tflite = root / "network.tflite"
        self.tflite.write_bytes(load_models(ROOT)["gesture"].variants["int8"].path.read_bytes())
        self.compiler = self.write("bin/arm-none-eabi-gcc", "")
        self.write("platformio.ini", INI)
        self.write("firmware/arena_search/main.cpp", "")
        self.write("firmware/lib/tflm/engine_tflm.cpp", "")
        self.write("firmware/platform/builder/main.py", "")
        self.program = b"an image"
        self.builds: list[Mapping[str, str]] = []
        self.installed: list[str] = []
        self.said: list[str] = []
        self.package: Path | None = None

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def build_dir(self, environment: str = "stm32f4_tflm") -> BuildDir:
        return BuildDir(self.root, self.root / ".hil", f"network-{environment}", STM32F4, environment)

    def emulate(self, target: Target, elf: Path, size: str) -> int:
        assert target == STM32F4
        assert elf == self.build_dir().path / "search" / "stm32f4_tflm" / "program.elf"
        trial = Trial.FITS if int(size) >= ARENA else Trial.TOO_SMALL
        return int(trial.value)

    def generate(self) -> int:
        job = Job(self.tflite, read(self.tflite), ImageKind.TESTED, self.build_dir(), self.emulate, self.said.append)
        _, size = generate(job, read_library(self.library))
        return size

    def bring_up_to_date(
        self,
        build_dir: BuildDir,
        elf: Path,
        settings: Mapping[str, str],
        _log: Path,
        watch: platformio.Watch,
        _say: Say,
    ) -> None:
        assert build_dir.environment.endswith("_tflm")
        self.builds.append(settings)
        elf.parent.mkdir(parents=True, exist_ok=True)
        elf.write_bytes(self.program)
        watch(f"{TOTAL}2\n")
        watch("Compiling .hil/objects/tflm/a.cc.o\n")

    def install(self, build_dir: BuildDir, _log: Path) -> None:
        self.installed.append(build_dir.environment)
        if self.package:
            pretend_library(build_dir.build_root / "pio" / "libdeps" / build_dir.environment / self.package)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    world = World(tmp_path)
    monkeypatch.delenv("HIL_TFLM_LIB", raising=False)
    monkeypatch.setattr(platformio, "bring_up_to_date", world.bring_up_to_date)
    monkeypatch.setattr(platformio, "install", world.install)
    monkeypatch.setattr(toolchain, "find_compiler", lambda: world.compiler)
    return world


def test_a_library_that_is_here_is_taken_as_it_is(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HIL_TFLM_LIB", str(world.library))
    assert provide(world.build_dir(), world.said.append) == read_library(world.library)
    assert world.installed == []
    assert world.said == []


def test_one_that_is_not_is_installed(world: World) -> None:
    world.package = Path("TFLM")
    found = provide(world.build_dir(), world.said.append)
    assert found.directory == tflm_library.installed_root(world.root / ".hil") / "stm32f4_tflm" / "TFLM"
    assert world.installed == ["stm32f4_tflm"]
    assert world.said == ["installing owner/package@1.0"]


def test_a_package_that_is_something_else_is_told(world: World) -> None:
    with pytest.raises(HilError, match=r"owner/package@1\.0: installed, but it is no TensorFlow Lite Micro; correct"):
        provide(world.build_dir(), silent)


def test_the_smallest_arena_is_found_with_a_program_of_its_own(world: World) -> None:
    assert world.generate() == ARENA
    (settings,) = world.builds
    build_dir = world.build_dir()
    assert settings == {
        "HIL_GENERATED": str(build_dir.generated),
        "HIL_TFLM_SOURCE": str(world.library),
        "HIL_TFLM_CONFIG": ".hil/firmware/network-stm32f4_tflm/tflm.ini",
        "PLATFORMIO_BUILD_DIR": str(build_dir.path / "search"),
        "PLATFORMIO_SRC_DIR": str(world.root / "firmware" / "arena_search"),
    }
    assert f"#define TFLM_ARENA_BYTES {ARENA}\n" in (build_dir.generated / "tflm_model.h").read_text()
    assert world.said[:2] == [
        "compiling TFLM, file 1 of 2, once for all models",
        "finding the smallest arena: 1,024 bytes",
    ]


def test_it_is_found_once_for_a_program(world: World) -> None:
    def sizes_tried() -> int:
        world.said.clear()
        assert world.generate() == ARENA
        return len([text for text in world.said if text.startswith("finding")])

    assert sizes_tried() > 1
    assert sizes_tried() == 0
    assert len(world.builds) == 2, "PlatformIO says whether the program is what it was"
    world.program = b"another image"
    assert sizes_tried() > 1


def test_a_network_for_which_all_ram_is_too_little_is_told_with_the_alternatives(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HIL_TFLM_LIB", str(world.library))
    monkeypatch.setattr(toolchain, "versions", dict)
    small = FirmwareProject(world.root / ".hil", lambda *_: Trial.NO_MORE_RAM.value, targets=TARGETS.values())
    with pytest.raises(HilError) as caught:
        engines.build(TflmEngine(), small, load_models(ROOT)["gesture"], "int8", TARGETS["stm32f2"])
    said = str(caught.value)
    assert f"{NAME} {VERSION} does not run it in all RAM of stm32f2: it needs more, or a kernel of" in said
    assert "; use a smaller model or engine aot or" in said
    assert "or target mps2_an386 or" in said
    assert "nrf51" not in said
    assert "stm32f4" not in said, "it has no more RAM"
    assert "; see " not in said, "there is nothing more to see"


def test_without_an_emulator_nothing_is_built(world: World) -> None:
    with pytest.raises(HilError, match="there is none: apt-get install qemu-system-arm"):
        generate(
            Job(world.tflite, read(world.tflite), ImageKind.TESTED, world.build_dir()), read_library(world.library)
        )
    assert world.builds == []


@pytest.mark.parametrize(
    ("kind", "weights", "said"),
    [("TANH", None, f"is not among the operators of {NAME} {VERSION}"), ("FULLY_CONNECTED", b"", "hybrid")],
)
def test_what_cannot_run_is_refused_before_anything_is_built(
    world: World, kind: str, weights: bytes | None, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HIL_TFLM_LIB", str(world.library))
    monkeypatch.setattr(toolchain, "versions", dict)
    tensors = [TensorSpec([1, 4], TensorType.FLOAT32), TensorSpec([1, 4], TensorType.FLOAT32)]
    inputs = [0]
    if weights is not None:
        tensors.append(TensorSpec([4, 4], TensorType.INT8, [0.5], [0], np.ones((4, 4), np.int8), "weights"))
        inputs = [0, 2]
    world.tflite.write_bytes(build(tensors, [OperatorSpec(kind, inputs, [1])], [0], [1]))
    project = FirmwareProject(world.root / ".hil", lambda *_: Trial.FITS.value)
    with pytest.raises(HilError, match=said):
        engines.build(TflmEngine(), project, lone_model(world.tflite), "tflite", STM32F4)
    assert world.builds == []


def test_the_image_is_built_from_this_library(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HIL_TFLM_LIB", str(world.library))
    monkeypatch.setattr(project, "read_image", lambda *_: None)
    monkeypatch.setattr(toolchain, "versions", dict)
    monkeypatch.setattr(World, "emulate", lambda *_: Trial.FITS.value)
    model = load_models(ROOT)["gesture"]

    def build_image() -> list[str]:
        world.builds.clear()
        FirmwareProject(world.root / ".hil", world.emulate).build(model, "int8", TflmEngine(), STM32F4)
        return [settings["HIL_TFLM_SOURCE"] for settings in world.builds]

    assert build_image() == 2 * [str(world.library)], "the search, and the image"


def test_progress_counts_the_files_of_the_library_alone() -> None:
    said: list[str] = []
    watch = progress(said.append)
    for line in (
        "Compiling .hil/firmware/x/build/src/main.cpp.o\n",
        f"{TOTAL}145\n",
        "Compiling .hil/objects/tflm/mcpu=cortex-m4/src/a.cc.o\n",
        "Linking .hil/firmware/x/build/program.elf\n",
        "Compiling .hil/objects/tflm/mcpu=cortex-m4/src/b.cc.o\n",
    ):
        watch(line)
    assert said == [f"compiling TFLM, file {n} of 145, once for all models" for n in (1, 2)]


def test_the_search_is_where_the_builder_looks_for_sources() -> None:
    assert (ROOT / tflm_engine.SEARCH_PROGRAM / "main.cpp").is_file()
