"""The examples, built and run as their READMEs say: applications of their own that link the protocol library."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.firmware_helpers import PROTOCOL, ROOT
from support.needs import skip_without_packages, skip_without_tools
from tflm_hil.errors import HilError
from tflm_hil.lab.options import Flash, Options
from tflm_hil.lab.session import Session

EXAMPLES = ROOT / "examples"
AVR = {
    "avr-gcc": "gcc-avr",
    "/usr/lib/avr/include/avr/io.h": "avr-libc",
    "/usr/share/arduino/hardware/arduino/avr/cores/arduino/Arduino.h": "arduino-core-avr",
    "qemu-system-avr": "qemu-system-misc",
}
STRICT = ["-Os", "-std=c99", "-pedantic", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-c"]


def copy(name: str, tmp_path: Path) -> Path:
    """The example where it may be built, and beside it the network that it shares; nothing else."""
    for part in (name, "wave"):
        shutil.copytree(EXAMPLES / part, tmp_path / part, ignore=shutil.ignore_patterns("build", ".hil", "reports"))
    return tmp_path / name


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("HIL_", "PYTEST_"))}
    variables["PATH"] = f"{Path(sys.executable).parent}:{variables['PATH']}"  # as in a virtual environment
    return subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=False)


def suite(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "--board=emulated", "-p", "no:cacheprovider", "-o", "addopts="]
    return run([*command, *options], folder)


def only_run(folder: Path) -> dict[str, object]:
    (result,) = json.loads((folder / "reports" / "results.json").read_text())["runs"]
    return dict(result)


def test_a_bare_metal_application_of_its_own_is_tested_by_the_same_suite(tmp_path: Path) -> None:
    skip_without_tools()
    folder = copy("bare-metal", tmp_path)
    (folder / "firmware" / "lib" / "mine").mkdir(parents=True)  # ours are called so, too
    done = suite(folder, "--hil-profile", "-rs")
    assert done.returncode == 0, done.stdout
    assert "the firmware on the device cannot measure steps; docs/your-own-firmware.md says how" in done.stdout
    result = only_run(folder)
    assert (result["engine"], result["target"], result["verdict"]) == ("external", "stm32f4", "pass")
    assert result["parity"]["bit_exact"]  # type: ignore[index]
    assert result["latency"]["unit"] == "instructions"  # type: ignore[index]


@pytest.mark.nightly  # another build of an example
def test_an_application_of_another_model_is_refused_in_one_line(tmp_path: Path) -> None:
    skip_without_tools()
    folder = copy("bare-metal", tmp_path)
    main = folder / "src" / "main.c"
    main.write_text(
        main.read_text().replace("description->model_hash, wave_hash,", 'description->model_hash, "8 bytes.",')
    )
    done = suite(folder)
    assert done.returncode == 1
    assert "the board runs model 382062797465, but the test expects" in done.stdout


@pytest.mark.nightly  # Another build and run; a crash of our own firmware is decoded in test_firmware.py.
def test_a_crash_of_an_application_is_told_with_its_line_and_callers(tmp_path: Path) -> None:
    skip_without_tools()
    folder = copy("bare-metal", tmp_path)
    main = folder / "src" / "main.c"
    code = main.read_text().replace("network_run();", "REGISTER(0x3FFFFFF0u) = 1;")
    main.write_text(code)
    line = next(number for number, text in enumerate(code.splitlines(), 1) if "0x3FFFFFF0u" in text)
    done = suite(folder)
    assert done.returncode == 1
    assert re.search(
        rf"crashed: hard fault in invoke \(main\.c:{line}\), called from hil_network_run \(network\.c:\d+\), .*"
        r"address 0x3ffffff0",
        done.stdout,
    )
    assert "called from main (src/main.c:" in done.stdout


@pytest.mark.nightly  # another core, and another build
@pytest.mark.parametrize("board", ["mega2560", "uno"])
def test_an_arduino_sketch_is_tested_by_the_same_suite(board: str, tmp_path: Path) -> None:
    skip_without_packages(AVR)
    folder = copy("arduino", tmp_path)
    settings = folder / "hil.toml"
    settings.write_text(settings.read_text().replace("mega2560", board))
    built = run(["make", "-j2", f"BOARD={board}"], folder)
    assert built.returncode == 0, built.stderr
    done = suite(folder)
    assert done.returncode == 0, done.stdout
    result = only_run(folder)
    assert (result["engine"], result["target"], result["verdict"]) == ("external", board, "pass")
    assert result["parity"]["bit_exact"]  # type: ignore[index]
    assert result["latency"] is None, "no counter can be had there, so none is invented"


@pytest.mark.parametrize("compiler", ["gcc", "arm-none-eabi-gcc", "avr-gcc"])
def test_the_library_needs_nothing_but_c99(compiler: str, tmp_path: Path) -> None:
    if shutil.which(compiler) is None:
        pytest.skip(f"no {compiler} on PATH")
    machine = ["-mmcu=atmega328p"] if compiler == "avr-gcc" else []
    for source in PROTOCOL.rglob("*.c"):
        done = run([compiler, *machine, *STRICT, f"-I{PROTOCOL}", str(source), "-o", str(tmp_path / "o")], tmp_path)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("body", "credits_"), [(67, 1), (250, 1), (249, 3), (249, 0), (249, 256)])
def test_a_link_that_cannot_be_does_not_compile(body: int, credits_: int, tmp_path: Path) -> None:
    if shutil.which("gcc") is None:
        pytest.skip("no gcc on PATH")
    source = tmp_path / "link.c"
    for numbers, compiles in (((body, credits_), False), ((68, 1), True), ((249, 16), True)):
        source.write_text(f'#include "tflm_hil.h"\nunsigned char b[HIL_BUFFER_BYTES({numbers[0]}, {numbers[1]})];\n')
        done = run(["gcc", f"-I{PROTOCOL}", "-c", str(source), "-o", str(tmp_path / "o")], tmp_path)
        assert (done.returncode == 0) == compiles


@pytest.mark.parametrize(
    ("line", "instead", "said"),
    [
        ('schema = "hil-project/1"', 'schema = "hil-project/9"', r"hil.toml: Invalid enum value 'hil-project/9'"),
        ('environment = "wave"', 'enviroment = "wave"', "hil.toml: Object contains unknown field `enviroment`"),
        ('environment = "wave"', "", "hil.toml: name either the environment of platformio.ini"),
        ('variant = "int8"', 'variant = "int4"', "variant 'int4' is not in"),
        ('target = "stm32f4"', 'target = "z80"', "unknown target z80; choose "),
        ('model = "../wave/models/wave"', 'model = "nowhere"', "nowhere/model.toml: cannot be read"),
    ],
)
def test_settings_that_are_wrong_are_a_usage_error_of_one_line(
    line: str, instead: str, said: str, tmp_path: Path
) -> None:
    folder = tmp_path / "own"
    shutil.copytree(EXAMPLES / "bare-metal", folder)
    shutil.copytree(EXAMPLES / "wave", tmp_path / "wave")
    settings = folder / "hil.toml"
    assert line in settings.read_text()
    settings.write_text(settings.read_text().replace(line, instead))
    reports = folder / "reports"
    options = Options(folder, (), "auto", ("stm32f4",), "auto", (), reports, None, False, Flash.AUTO, False, False)
    with pytest.raises(HilError, match=re.escape(said)) as caught:
        Session(options)
    assert "\n" not in str(caught.value)
