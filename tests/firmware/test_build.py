"""Real builds in copies of the project: what is done again, what is reproducible, and what a failure says."""

from __future__ import annotations

import dataclasses
import hashlib
import multiprocessing
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from support.firmware_helpers import ROOT
from support.processes import ends
from support.targets import STM32F4, TARGETS
from tflm_hil.engines.aot.engine import AotEngine
from tflm_hil.errors import HilError
from tflm_hil.firmware import platformio, toolchain
from tflm_hil.firmware.image import FirmwareImage, read_image
from tflm_hil.firmware.image_kind import ImageKind
from tflm_hil.firmware.project import FirmwareProject
from tflm_hil.models.manifest import Model, load_models
from tflm_hil.targets.target import read_target

TARGET, ENVIRONMENT = STM32F4, "stm32f4_aot"


@pytest.fixture(scope="module", autouse=True)
def offline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An empty home, and a proxy that answers nothing: a build that asks a registry fails."""
    try:
        toolchain.versions()
    except HilError as error:
        pytest.skip(str(error))
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
            patch.setenv(name, "http://127.0.0.1:9")
        yield home


@pytest.fixture(scope="module")
def model() -> Model:
    return load_models(ROOT)["gesture"]


def checkout(directory: Path, built: Path | None = None) -> FirmwareProject:
    """A copy of what is built, in `directory`; what is made of it lies in `built`, or in the copy."""
    for folder in ("firmware", "harness/tflm_hil/targets"):
        shutil.copytree(ROOT / folder, directory / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "platformio.ini", directory)
    return FirmwareProject(built or directory / ".hil", root=directory)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What serves all copies of which a single source is spoilt."""
    return tmp_path_factory.mktemp("built")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> FirmwareProject:
    return checkout(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="module")
def image(project: FirmwareProject, model: Model) -> FirmwareImage:
    return project.build(model, "int8", AotEngine(), TARGET)


def done(log: Path) -> set[str]:
    """What PlatformIO compiled, linked or copied in the build that left this log, by the names of the products."""
    # Not line by line: SCons prints from several threads.
    return {Path(made).name for made in re.findall(r"(?:Compiling|Linking|Building) ([./]\S+)", log.read_text())}


def test_the_image_is_what_its_elf_file_says(image: FirmwareImage) -> None:
    assert image.bin.read_bytes()[:4] == (0x20000000 + image.sections[".stack"]).to_bytes(4, "little")
    assert len(image.build_id) == 20
    assert image.build_id in image.bin.read_bytes(), "the build id is in flash, where the firmware reads it"
    assert abs(image.flash_bytes - image.bin.stat().st_size) < 8, "no holes"
    assert image.ram_total_bytes == sum(image.sections[name] for name in (".data", ".bss", ".link_buffers"))
    assert image.ram_total_bytes - image.ram_bytes == image.sections[".link_buffers"] > 2 * 4 * 256
    sizes = {symbol.name: symbol for symbol in image.symbols}
    assert sizes["buffer"].size == 254 + 16 * 256
    assert sizes["buffer"].section == ".link_buffers"
    assert sizes["main"].kind == "function"
    assert [symbol.size for symbol in image.symbols] == sorted((s.size for s in image.symbols), reverse=True)
    assert 9_000 < image.model_bytes < 11_000


def test_no_heap_no_exceptions_no_printf(image: FirmwareImage) -> None:
    assert not {symbol.name for symbol in image.symbols} & {
        "malloc",
        "_malloc_r",
        "_sbrk",
        "printf",
        "vsnprintf",
        "__cxa_throw",
        "_Unwind_Resume",
    }


# Each of them changes what a compiler, SCons or PlatformIO does, or where it writes.
MISLEADING = {
    "CFLAGS": "-O0",
    "COMPILER_PATH": "/nowhere",
    "CPATH": "{folder}",
    "C_INCLUDE_PATH": "{folder}",
    "DEPENDENCIES_OUTPUT": "{folder}/dependencies",
    "GCC_EXEC_PREFIX": "/nowhere/",
    "LANG": "de_DE.UTF-8",
    "PLATFORMIO_BUILD_FLAGS": "-O0",
    "PLATFORMIO_SRC_DIR": "{folder}",
    "PYTHONPATH": "{folder}",
    "SCONSFLAGS": "-n",
    "SOURCE_DATE_EPOCH": "1",
}


def test_the_image_is_the_same_from_any_folder_and_in_any_environment(
    image: FirmwareImage, project: FirmwareProject, model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "-a (rather) longer, é 'name' & 100% `of` a; [checkout]=#1 \"\\\""
    other = checkout(folder)
    (folder / "stdint.h").write_text("#error not this one\n")
    (folder / "SCons.py").write_text("raise ImportError\n")
    for name, value in MISLEADING.items():
        monkeypatch.setenv(name, value.format(folder=folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    built = other.build(model, "int8", AotEngine(), TARGET)
    assert built.elf_sha256 == image.elf_sha256, "with what it says to a debugger"
    assert built.bin.read_bytes() == image.bin.read_bytes()
    assert str(project.root).encode() not in image.elf.read_bytes()
    assert not (folder / "dependencies").exists()


@pytest.mark.parametrize("name", ["a$b", "a\nb"])
def test_a_folder_that_platformio_cannot_work_in_is_refused_at_once(tmp_path: Path, name: str) -> None:
    with pytest.raises(HilError, match=r"PlatformIO takes no .* in the name of a folder; rename it") as caught:
        FirmwareProject(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_the_home_directory_is_left_alone(image: FirmwareImage, offline: Path) -> None:
    assert image.elf.is_file()
    assert list(offline.iterdir()) == []


@pytest.mark.nightly  # another build from nothing
def test_a_debug_image_is_another_image(image: FirmwareImage, project: FirmwareProject, model: Model) -> None:
    debug = project.build(model, "int8", AotEngine(), TARGET, ImageKind.DEBUG)
    assert debug.build_id != image.build_id
    assert image.elf.is_file()


LINKED = {"program.elf", "program.bin"}

USES = """
#include <extra.h>
#include WHERE

__attribute__((constructor)) static void use() {
    volatile int used = extra[0] + OUTSIDE;
    static_cast<void>(used);
}
"""


class Changing:
    """A project with a library and a header of its own outside, and what each build of it does."""

    def __init__(self, directory: Path, model: Model) -> None:
        self.project = checkout(directory / "project")
        self._model = model
        self.library = directory / "libraries" / "extra"
        self.library.mkdir(parents=True)
        (self.library / "extra.h").write_text('extern "C" const int extra[];\n')
        (self.library / "extra.c").write_text("extern const int extra[];\nconst int extra[] = {21};\n")
        self.header = directory / "headers" / "outside.h"
        self.header.parent.mkdir()
        self.header.write_text("#define OUTSIDE 1\n")
        ini, main = self.project.root / "platformio.ini", self.project.root / "firmware" / "application" / "main.cpp"
        # SCons follows neither the folder nor the name.
        settings = f"[env]\nlib_extra_dirs = {directory / 'libraries'}\nbuild_flags = '-DWHERE=\"outside.h\"' "
        settings += f"-isystem {self.header.parent}\n"
        ini.write_text(ini.read_text().replace("[env]\n", settings))
        main.write_text(f"{main.read_text()}{USES}")

    def build(self) -> tuple[FirmwareImage, set[str]]:
        image = self.project.build(self._model, "int8", AotEngine(), TARGET)
        return image, done(image.generated.parent / "build.log")


def rewrite(path: Path, old: str, new: str) -> None:
    """Change a file and leave its size and its time as they were."""
    text, status = path.read_text(), path.stat()
    assert old in text
    assert len(old) == len(new)
    path.write_text(text.replace(old, new))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_what_changed_is_built_again_and_nothing_else(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changing = Changing(tmp_path, model)
    image, made = changing.build()
    assert made >= {"main.o", "extra.o", "aot_model.o", *LINKED}
    with monkeypatch.context() as patch:
        patch.setattr(platformio, "run", None)
        assert changing.build() == (image, set()), "without PlatformIO"

    firmware = changing.project.root / "firmware"
    rewrite(changing.library / "extra.c", "21", "42")
    rewrite(changing.header, "1", "2")
    (damaged,) = changing.project.build_root.rglob("windowing.o")
    damaged.write_bytes(damaged.read_bytes()[:100])
    second, made = changing.build()
    assert made == {"extra.o", "main.o", "windowing.o", *LINKED}
    assert second.build_id != image.build_id

    rewrite(firmware / "platform" / "ldscripts" / "cortexm.ld", "ALIGN(4)", "ALIGN(8)")
    image.elf.with_suffix(".bin").unlink()
    assert changing.build()[1] == LINKED

    rewrite(firmware / "platform" / "builder" / "main.py", "--build-id=sha1", "--build-id=uuid")
    third, made = changing.build()
    assert made == LINKED
    assert len(third.build_id) == 16

    ini = changing.project.root / "platformio.ini"
    ini.write_text(ini.read_text().replace("build_flags = ", "build_flags = -DTHIRTY=30 "))
    assert changing.build()[1] >= {"main.o", "extra.o"}


def test_a_change_of_the_model_is_built(project: FirmwareProject, image: FirmwareImage, model: Model) -> None:
    slower = msgspec.structs.replace(model, stride=7)
    assert project.build(slower, "int8", AotEngine(), TARGET).build_id != image.build_id
    assert done(image.generated.parent / "build.log") == {"model_config.o", "application.o", *LINKED}
    assert project.build(model, "int8", AotEngine(), TARGET) == image


def test_what_no_model_changes_is_compiled_once_for_all(
    project: FirmwareProject, image: FirmwareImage, model: Model
) -> None:
    other = project.build(model, "float32", AotEngine(), TARGET)
    made = done(other.generated.parent / "build.log")
    of_a_model = {"aot_model.o", "application.o", "engine_aot.o", "main.o", "model_config.o", "link.o", *LINKED}
    assert made == of_a_model
    profiled = project.build(model, "int8", AotEngine(), TARGET, ImageKind.PROFILE)
    assert done(profiled.generated.parent / "build.log") == of_a_model, "nor does the kind of the image"
    assert project.build(model, "int8", AotEngine(), TARGET) == image
    assert done(image.generated.parent / "build.log") == set()


@pytest.mark.parametrize("damaged", ["image", pytest.param("image and memory of SCons", marks=pytest.mark.nightly)])
def test_a_damaged_image_is_made_again(
    project: FirmwareProject, image: FirmwareImage, model: Model, damaged: str
) -> None:
    image.elf.write_bytes(b"")
    if damaged != "image":
        memory = next((project.build_root / "objects").glob(".sconsign*"))
        memory.write_bytes(memory.read_bytes()[:100])
    assert project.build(model, "int8", AotEngine(), TARGET) == image


def test_a_compiler_error_is_told_with_its_line_and_the_log(model: Model, tmp_path: Path, built: Path) -> None:
    project = checkout(tmp_path, built)
    source = tmp_path / "firmware" / "application" / "main.cpp"
    source.write_text(source.read_text() + "\nint x = undeclared;\n")
    with pytest.raises(HilError) as caught:
        project.build(model, "int8", AotEngine(), TARGET)
    said = str(caught.value)
    assert "main.cpp:" in said
    assert "error: 'undeclared' was not declared" in said
    log = Path(said.rpartition("see ")[2])
    assert "undeclared" in log.read_text()
    source.write_text(source.read_text().replace("undeclared", "1"))
    assert project.build(model, "int8", AotEngine(), TARGET).elf.is_file()


def test_warnings_in_our_sources_are_errors(model: Model, tmp_path: Path, built: Path) -> None:
    project = checkout(tmp_path, built)
    source = tmp_path / "firmware" / "lib" / "windowing" / "windowing.c"
    source.write_text(source.read_text() + "\nstatic int unused(void) {\n    return 1;\n}\n")
    with pytest.raises(HilError, match=r"windowing\.c:.*unused.*-Werror"):
        project.build(model, "int8", AotEngine(), TARGET)


def test_an_image_that_is_too_large_is_told_with_the_excess(model: Model, tmp_path: Path, built: Path) -> None:
    project = FirmwareProject(built, targets=TARGETS.values())
    small = tmp_path / "small.toml"
    small.write_text(STM32F4.file.read_text().replace("512K", "8K"))
    with pytest.raises(HilError, match=r"exceeds FLASH by \d+ bytes; use a smaller model or target \w+ or target"):
        project.build(model, "int8", AotEngine(), read_target(small))


def test_a_target_of_other_applications_is_refused(project: FirmwareProject, model: Model) -> None:
    with pytest.raises(HilError, match=r"^target uno is for applications of the user's own; choose another$"):
        project.build(model, "int8", AotEngine(), TARGETS["uno"])


@pytest.mark.nightly  # another build from nothing
def test_an_engine_brings_its_section_of_platformio_ini(
    project: FirmwareProject, image: FirmwareImage, model: Model
) -> None:
    class Wrapping(AotEngine):
        name = "wrapping"
        ini = "lib_deps = aot"

    built = project.build(model, "int8", Wrapping(), TARGET)
    assert built.elf != image.elf
    assert (built.flash_bytes, built.ram_bytes) == (image.flash_bytes, image.ram_bytes)


def test_a_build_by_hand_without_generated_sources_says_so_in_one_line(project: FirmwareProject) -> None:
    environment = platformio.variables(os.environ, project.build_root)
    done = subprocess.run(
        platformio.command(project.root, ENVIRONMENT), env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    (said,) = [line for line in done.stderr.splitlines() if "error" in line]
    assert said.startswith("error: HIL_GENERATED (unset) is not a directory of generated model sources")


@pytest.mark.nightly  # another build from nothing
def test_a_build_by_hand_is_the_image_that_the_harness_builds(image: FirmwareImage, tmp_path: Path) -> None:
    root = checkout(tmp_path).root
    shutil.copytree(image.generated, root / "sources")
    variables = {**toolchain.variables(os.environ), "HIL_GENERATED": "sources"}
    command = platformio.command(root, ENVIRONMENT)
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    by_hand = root / ".hil" / "pio" / "build" / ENVIRONMENT / "program.elf"
    assert hashlib.sha256(by_hand.read_bytes()).hexdigest() == image.elf_sha256


def test_a_file_that_is_no_image(image: FirmwareImage, tmp_path: Path) -> None:
    cut = tmp_path / "program.elf"
    cut.write_bytes(image.elf.read_bytes()[:200])
    with pytest.raises(HilError, match="not an image of this firmware"):
        read_image(cut, TARGET, 0, 0, tmp_path)
    cut.write_bytes(b"")
    with pytest.raises(HilError, match="not an image of this firmware"):
        read_image(cut, TARGET, 0, 0, tmp_path)
    with pytest.raises(HilError, match="cannot be read"):
        read_image(tmp_path / "none.elf", TARGET, 0, 0, tmp_path)
    assert dataclasses.replace(image, elf=cut) != image


HARNESS = """
import sys
from pathlib import Path
from tflm_hil.engines.aot.engine import AotEngine
from tflm_hil.firmware.image_kind import ImageKind
from tflm_hil.firmware.project import FirmwareProject
from tflm_hil.models.manifest import load_models
from tflm_hil.targets import load_targets

root, models = map(Path, sys.argv[1:])
project, target = FirmwareProject(root / ".hil", root=root), load_targets()["stm32f4"]
project.build(load_models(models)["gesture"], "int8", AotEngine(), target)
"""

# It says who runs it, and takes until PlatformIO has gone.
PRETENDED_COMPILER = """#!/bin/sh
case "$*" in -*version|-print*) exec {compiler} "$@";; esac
platformio=$(cut -d' ' -f5 /proc/$$/stat)
[ -d /proc/$platformio ] || touch {late}
echo $PPID > {started}
while [ -d /proc/$platformio ]; do sleep 0.02; done
while [ "$1" != -o ]; do shift; done
touch "$2"
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent has ended")
def test_no_compiling_outlives_the_harness(tmp_path: Path) -> None:
    checkout(tmp_path)
    late, started, compiler = tmp_path / "late", tmp_path / "started", tmp_path / "bin" / "arm-none-eabi-gcc"
    os.mkfifo(started)
    compiler.parent.mkdir()
    text = PRETENDED_COMPILER.format(compiler=shutil.which(compiler.name), late=late, started=started)
    compiler.write_text(text)
    compiler.chmod(0o755)
    environment = os.environ | {"PATH": f"{compiler.parent}:{os.environ['PATH']}"}
    with (
        subprocess.Popen([sys.executable, "-c", HARNESS, str(tmp_path), str(ROOT)], env=environment) as harness,
        open(os.open(started, os.O_RDWR)) as reports,  # noqa: PTH123  # A writer as well, so that no report is the last.
    ):
        try:
            # PlatformIO compiles as many files at a time. One that is about to start would find PlatformIO gone.
            scons = max(int(reports.readline()) for _ in range(multiprocessing.cpu_count()))
            assert b"scons" in Path(f"/proc/{scons}/cmdline").read_bytes()
        finally:
            harness.kill()
        assert ends(scons)
    assert not late.exists()


def test_processes_of_one_run_have_the_same_image(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    def build(run: str) -> FirmwareImage:
        return FirmwareProject(ROOT / ".hil", run=run).build(model, "int8", AotEngine(), STM32F4)

    first = build("one")
    looked: list[object] = []
    monkeypatch.setattr(platformio, "bring_up_to_date", lambda *given: looked.append(given))
    assert build("one") == first
    assert not looked, "a source that changes meanwhile must not give them different ones"
    build("another")
    build("")
    build("")
    assert len(looked) == 3
