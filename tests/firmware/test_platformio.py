"""How PlatformIO is run, and what of a failed build reaches a person."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support.firmware_helpers import ROOT
from support.processes import ends
from tflm_hil.firmware.explanation import explain, overflow
from tflm_hil.firmware.platformio import command, variables


def test_the_command_is_this_pythons_platformio() -> None:
    assert command(Path("/p"), "stm32f4_aot") == [
        *(sys.executable, "-P", "-m", "platformio", "run"),
        *("--project-dir", "/p", "--environment", "stm32f4_aot"),
    ]


REACHING_OUT = """
    C_INCLUDE_PATH CPATH CPLUS_INCLUDE_PATH COMPILER_PATH GCC_EXEC_PREFIX LIBRARY_PATH DEPENDENCIES_OUTPUT CFLAGS CC
    SUNPRO_DEPENDENCIES SOURCE_DATE_EPOCH SCONSFLAGS PLATFORMIO_BUILD_FLAGS PLATFORMIO_CORE_DIR PLATFORMIO_SRC_DIR
    HIL_FIRMWARE HIL_GENERATED HIL_TFLM_LIB LANG LANGUAGE LC_ALL LC_MESSAGES PYTHONPATH PYTHONHOME PYTHONSTARTUP
    GCC_COLORS TERM
"""


def test_what_a_user_has_set_for_other_projects_does_not_reach_the_build() -> None:
    inherited = {"PATH": "/bin", "HOME": "/home/u", **dict.fromkeys(REACHING_OUT.split(), "x")}
    assert variables(inherited, Path("/hil")) == {
        "PATH": "/bin",
        "HOME": "/home/u",
        "LC_ALL": "C",
        "HIL_FIRMWARE": str(ROOT / "firmware"),
        "PLATFORMIO_BUILD_CACHE_DIR": "/hil/objects",
        "PLATFORMIO_CORE_DIR": "/hil/platformio",
        "PLATFORMIO_DISABLE_PROGRESSBAR": "true",
        "PLATFORMIO_DISABLE_UPGRADE_CHECK": "true",
        "PLATFORMIO_NO_ANSI": "true",
        "PLATFORMIO_SETTING_ENABLE_TELEMETRY": "no",
        "PLATFORMIO_WORKSPACE_DIR": "/hil/pio",
        "PYTHONUTF8": "1",
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
        (
            "x.s: fatal error: error writing to /tmp/x.s: No space left on device\n",
            "a disk is full; free some space: x.s: fatal",
        ),
        (
            "NotImplementedError: Traceback (most recent call last):\n"
            '  File "/v/site-packages/platformio/base.py", line 3\n'
            "    raise NotImplementedError\nNotImplementedError\n\n=====\nAn unexpected error occurred.\n",
            "the build failed: /v/site-packages/platformio/base.py:3: NotImplementedError",
        ),
        ("Error: Unknown board ID 'nope'\n", "Error: Unknown board ID 'nope'"),
        ("Processing\nHTTPClientError: \n\n", "the build failed: HTTPClientError:"),
        ("", "PlatformIO said nothing"),
        (
            "x/ld: main.o: in function `main':\nsrc/main.cpp:5: undefined reference to `g'\n"
            "collect2: error: ld returned 1",
            "src/main.cpp:5: undefined reference to `g'",
        ),
        ("collect2: fatal error: cannot find 'ld'\ncompilation terminated.\n", "cannot find 'ld'"),
        (
            'Traceback (most recent call last):\n  File "/p/builder/main.py", line 7, in <module>\n    x\n'
            "NameError: no x\n",
            "the build failed: /p/builder/main.py:7: NameError: no x",
        ),
        (
            "*** [a.o] TypeError : unhashable\n===== [FAILED] Took 0.59 seconds =====\n\n"
            "Environment    Status    Duration\n"
            "-----  -----  ----\nstm32f4_aot    FAILED    00:00:00.586\n"
            "==== 1 failed, 0 succeeded in 00:00:00.586 ====",
            "[a.o] TypeError : unhashable",
        ),
        (
            "NameError : name 'x' is not defined:\n  File \"/p/builder/main.py\", line 7:\n    x\n"
            '  File "/v/site-packages/SCons/a.py", line 9:\n    y\n==== [FAILED] Took 0.5 seconds ====\n',
            "the build failed: /p/builder/main.py:7: NameError : name 'x' is not defined",
        ),
        (
            '  File "/p/platform.py", line 1\n    import (\n      ^\nSyntaxError: invalid syntax\n\n====\nAn error',
            "the build failed: /p/platform.py:1: SyntaxError: invalid syntax",
        ),
        ("/bin/ld:cortexm.ld:3: syntax error\ncollect2: error: ld returned 1 exit status\n", "ld:cortexm.ld:3: syntax"),
        ("sh: 1: arm-none-eabi-g++: not found\n*** [a.o] Error 127\n", "[a.o] Error 127"),
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


HARNESS = """
import sys
from pathlib import Path
from tflm_hil.firmware import platformio
from tflm_hil.firmware.build_dir import BuildDir
from tflm_hil.targets import load_targets

here = Path(sys.argv[1])
platformio._PIO = (sys.executable, str(here / "pretended.py"))
platformio._INTERRUPT_S = float(sys.argv[2])
build_dir = BuildDir(here, here, "name", load_targets()["stm32f4"], "env")
platformio.run(build_dir, {}, here / "log", lambda line: print(line, end="", flush=True))
"""

# As PlatformIO does: it goes at once when it is interrupted, and what it runs takes its time to write down what it did.
PRETENDED = """
import os, signal, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", CHILD, str(os.getpid())])
signal.signal(signal.SIGINT, lambda *_: os._exit(1))
child.wait()
"""
FINISHES = """
import os, signal, sys, time
from pathlib import Path
def finish(*_):
    while Path("/proc", sys.argv[1]).exists():
        time.sleep(0.01)
    Path("finished").touch()
    sys.exit()
signal.signal(signal.SIGINT, finish)
print(os.getppid(), os.getpid(), flush=True)
signal.pause()
"""
HANGS = """
import os, signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
print(os.getppid(), os.getpid(), flush=True)
signal.pause()
"""


def end_a_build(directory: Path, child: str, grace: float, end: signal.Signals) -> list[int]:
    """End the harness in the middle of a build; the ids of PlatformIO and of what it runs."""
    (directory / "pretended.py").write_text(f"CHILD = {child!r}\n{PRETENDED}")
    harness = subprocess.Popen(
        [sys.executable, "-c", HARNESS, str(directory), str(grace)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=directory,
        env={},
    )
    with harness:
        assert harness.stdout is not None
        pids = [int(pid) for pid in harness.stdout.readline().split()]
        assert len(pids) == 2
        harness.send_signal(end)
    return pids


def test_an_interrupted_build_may_write_down_what_it_did(tmp_path: Path) -> None:
    for pid in end_a_build(tmp_path, FINISHES, 60, signal.SIGINT):
        assert ends(pid)
    assert (tmp_path / "finished").exists()


def test_an_interrupted_build_that_does_not_end_is_ended(tmp_path: Path) -> None:
    for pid in end_a_build(tmp_path, HANGS, 0.1, signal.SIGINT):
        assert ends(pid)


def test_platformio_does_not_outlive_the_harness(tmp_path: Path) -> None:
    leader, child = end_a_build(tmp_path, FINISHES, 0.1, signal.SIGKILL)
    try:
        assert ends(leader)
    finally:
        os.kill(child, signal.SIGKILL)
