"""How PlatformIO is run, and what of a failed build reaches a person."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from harness.firmware.platformio import command, explain, overflow, variables


def test_the_command_is_this_pythons_platformio() -> None:
    assert command(Path("/p"), "stm32f4_aot") == [
        *(sys.executable, "-m", "platformio", "run"),
        *("--project-dir", "/p", "--environment", "stm32f4_aot"),
    ]


def test_a_users_own_platformio_settings_do_not_reach_the_build() -> None:
    inherited = {
        "PATH": "/bin",
        "HOME": "/home/u",
        "PLATFORMIO_BUILD_FLAGS": "-O0",
        "PLATFORMIO_CORE_DIR": "/home/u/.platformio",
        "HIL_GENERATED": "/elsewhere",
        "HIL_TFLM_LIB": "/copy",
    }
    assert variables(inherited, Path("/hil")) == {
        "PATH": "/bin",
        "HOME": "/home/u",
        "PLATFORMIO_BUILD_CACHE_DIR": "/hil/objects",
        "PLATFORMIO_CORE_DIR": "/hil/platformio",
        "PLATFORMIO_DISABLE_PROGRESSBAR": "true",
        "PLATFORMIO_DISABLE_UPGRADE_CHECK": "true",
        "PLATFORMIO_NO_ANSI": "true",
        "PLATFORMIO_SETTING_ENABLE_TELEMETRY": "no",
        "PLATFORMIO_WORKSPACE_DIR": "/hil/pio",
        "PYTHONUNBUFFERED": "1",
    }


@pytest.mark.parametrize(
    ("log", "said"),
    [
        (
            "Compiling a.o\nsrc/main.cpp:5:2: error: 'x' was not declared\nb.c:1:1: error: second\n*** Error 1",
            "the build failed: src/main.cpp:5:2: error: 'x' was not declared",
        ),
        ("a.c:2:10: fatal error: no.h: No such file or directory\n", "a.c:2:10: fatal error: no.h: No such file"),
        ("ld: main.o: undefined reference to `engine_init'\ncollect2: error: ld returned 1", "`engine_init'"),
        ("collect2: error: ld returned 1\n/bin/ld: cannot find b/c: No such file\n", "/bin/ld: cannot find b/c"),
        ("x.s: fatal error: error writing to /tmp/x.s: No space left on device\n", "the disk is full"),
        ("Error: Unknown board ID 'nope'\n", "Error: Unknown board ID 'nope'"),
        ("Processing\nHTTPClientError: \n\n", "the build failed: HTTPClientError:"),
        ("", "PlatformIO said nothing"),
    ],
)
def test_the_line_that_matters_is_found(log: str, said: str) -> None:
    explained = explain(log)
    assert said in explained
    assert "\n" not in explained


def test_what_exceeds_the_memory_is_found_for_each_region() -> None:
    log = "ld: region `FLASH' overflowed by 5121 bytes\nld: region `RAM' overflowed by 16 bytes\ncollect2: error: ld"
    assert overflow(log) == {"FLASH": 5121, "RAM": 16}
    assert overflow("ld: main.o: undefined reference to `engine_init'") == {}
