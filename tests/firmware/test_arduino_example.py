"""The Arduino sketch for a board that needs PlatformIO's registry, as far as it goes without."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from platformio.project.config import ProjectConfig
from support.firmware_helpers import PROTOCOL, ROOT
from support.targets import TARGETS
from tflm_hil.configuration import load_configuration
from tflm_hil.engines.external.application import load_application
from tflm_hil.firmware import platformio
from tflm_hil.firmware.build_dir import BuildDir

EXAMPLE = ROOT / "examples" / "arduino"
NAME = "nano33ble"

# What the sketch uses of Arduino's framework and of the chip's header; bits as in the manuals.
ARDUINO = """
#pragma once
#include <stdint.h>
#include <stddef.h>
struct Port {
    void begin(unsigned long);
    void flush();
    int available();
    int read();
    size_t write(const uint8_t *, size_t);
    operator bool();
};
extern Port Serial;
void noInterrupts();
void interrupts();
void setup();
void loop();
"""
NRF = """
#include <stdint.h>
struct Dwt { volatile uint32_t CTRL, CYCCNT; };
struct Debug { volatile uint32_t DHCSR, DCRSR, DCRDR, DEMCR; };
struct Power { volatile uint32_t RESETREAS; };
#define DWT ((Dwt *)0xE0001000)
#define CoreDebug ((Debug *)0xE000EDF0)
#define NRF_POWER ((Power *)0x40000400)
#define CoreDebug_DEMCR_TRCENA_Msk (1u << 24)
#define DWT_CTRL_CYCCNTENA_Msk (1u << 0)
#define POWER_RESETREAS_RESETPIN_Msk (1u << 0)
#define POWER_RESETREAS_DOG_Msk (1u << 1)
#define POWER_RESETREAS_SREQ_Msk (1u << 2)
[[noreturn]] void NVIC_SystemReset();
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ProjectConfig:
    """The example's platformio.ini as PlatformIO reads it."""
    monkeypatch.setenv("HIL_FIRMWARE", str(tmp_path / "firmware"))
    monkeypatch.chdir(EXAMPLE)
    return ProjectConfig("platformio.ini")


def test_the_environment_is_one_of_the_registry_with_our_library(config: ProjectConfig, tmp_path: Path) -> None:
    options = config.items(env=NAME, as_dict=True)
    assert (options["platform"], options["board"], options["framework"]) == ("nordicnrf52", "nano33ble", ["arduino"])
    assert options["lib_deps"] == [f"symlink://{tmp_path}/firmware/lib/protocol"]
    sources = EXAMPLE / config.get("platformio", "src_dir")
    assert (sources / "wave.ino").is_file()
    assert (sources / "../../wave/wave.c").is_file()
    assert "+<../../wave/wave.c>" in options["build_src_filter"][0]


def test_the_harness_builds_and_uploads_it(tmp_path: Path) -> None:
    for part in ("arduino", "wave"):
        shutil.copytree(ROOT / "examples" / part, tmp_path / part, ignore=shutil.ignore_patterns("build", ".hil"))
    settings = tmp_path / "arduino" / "hil.toml"
    elf, target = 'elf = "build/mega2560/wave.elf"', 'target = "mega2560"'
    text = settings.read_text()
    assert elf in text
    assert target in text
    settings.write_text(text.replace(elf, f'environment = "{NAME}"').replace(target, f'target = "{NAME}"'))
    application = load_application(load_configuration(tmp_path / "arduino"))
    assert application is not None
    assert (application.environment, application.target, application.elf) == (NAME, NAME, None)
    build_dir = BuildDir(application.root, tmp_path / "build", f"application-{NAME}", TARGETS[NAME], NAME)
    assert platformio.command(application.root, NAME)[-2:] == ["--environment", NAME]
    argv, environment = platformio.upload(build_dir, "/dev/ttyACM0")
    assert argv[-4:] == ["--target", "upload", "--upload-port", "/dev/ttyACM0"]
    assert environment["PLATFORMIO_BUILD_DIR"] == str(build_dir.build)


def test_platforms_call_their_images_as_they_like(tmp_path: Path) -> None:
    build_dir = BuildDir(tmp_path, tmp_path, "application-x", TARGETS[NAME], "x")
    assert build_dir.linked_last == build_dir.elf
    folder = build_dir.elf.parent
    folder.mkdir(parents=True)
    (folder / "firmware.elf").touch()
    (folder / "firmware.map").touch()
    assert build_dir.linked_last == folder / "firmware.elf"


def test_the_sketch_compiles_for_the_chip(tmp_path: Path) -> None:
    if shutil.which("arm-none-eabi-g++") is None:
        pytest.skip("no arm-none-eabi-g++")
    (tmp_path / "Arduino.h").write_text(ARDUINO)
    (tmp_path / "nrf.h").write_text(NRF)
    flags = ["-mcpu=cortex-m4", "-mthumb", "-Os", "-std=gnu++14", "-Wall", "-Wextra", "-Werror", "-fno-exceptions"]
    flags += ["-DARDUINO_ARCH_NRF52840", "-DF_CPU=64000000L"]
    flags += [f"-I{folder}" for folder in (tmp_path, PROTOCOL, EXAMPLE / "wave", EXAMPLE.parent / "wave")]
    for source in ("wave.ino", "chip_nrf52.cpp", "chip_avr.cpp"):
        command = ["arm-none-eabi-g++", *flags, "-include", "Arduino.h", "-x", "c++", "-c"]
        subprocess.run([*command, EXAMPLE / "wave" / source, "-o", f"{source}.o"], cwd=tmp_path, check=True)
    named = subprocess.run(
        ["arm-none-eabi-nm", "wave.ino.o", "chip_nrf52.cpp.o", "chip_avr.cpp.o"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    defined = [line.split()[2] for line in named.splitlines() if " T " in line]
    assert {"hil_write", "hil_measure_begin", "hil_measure_end", "hil_reset"} <= set(defined)
    assert len(defined) == len(set(defined))
