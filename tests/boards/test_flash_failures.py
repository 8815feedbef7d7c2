"""Tools that fail, lie, hang and leave processes behind: real processes that behave as the tools do."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from support.processes import ends
from support.stand_in import StandIns
from support.tiny_elf import write_tiny_elf
from tflm_hil import processes
from tflm_hil.boards import probes
from tflm_hil.boards.flashers import tool
from tflm_hil.boards.flashers.methods import flasher
from tflm_hil.boards.flashers.tool import Place
from tflm_hil.errors import HilError
from tflm_hil.progress import silent
from tflm_hil.targets import flash

OPENOCD = flash.OpenOcdSettings(config=["a.cfg"], timeout_s=1)
PYOCD = flash.PyOcdSettings(chip="nrf51")
ST_FLASH = flash.StFlashSettings()
GDB = flash.GdbSettings(server="qemu")

Make = Callable[..., Any]

# As OpenOCD does if its probe is mute: no signal ends it but SIGKILL. It has started another program meanwhile.
DEAF = """
trap '' INT TERM HUP
sleep 600 &
echo $$ $! >{pids}.new
mv {pids}.new {pids}
echo Info : Listening on port 3333
wait
"""


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIns:
    monkeypatch.setattr(probes, "DEVICES", tmp_path / "no-usb")
    monkeypatch.setattr(processes, "_TOOL_INTERRUPT_S", 0.1)
    return StandIns(tmp_path / "bin", monkeypatch)


@pytest.fixture
def image(tmp_path: Path) -> Any:
    return SimpleNamespace(elf=write_tiny_elf(tmp_path / "program.elf"), application=None)


@pytest.fixture
def make(tmp_path: Path) -> Make:
    return lambda settings: flasher(settings, Place("desk", "/dev/ttyACM7", tmp_path / "t.toml", tmp_path))


def refusal(board: Any, image: Any) -> str:
    with pytest.raises(HilError) as caught:
        board.flash(image, silent)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def pids(file: Path) -> list[int]:
    return [int(number) for number in file.read_text().split()]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (OPENOCD, "openocd is not installed, and this board is flashed with it: apt-get install openocd"),
        (PYOCD, "pyocd is not installed, and this board is flashed with it: pip install pyocd"),
        (ST_FLASH, "st-flash is not installed, and this board is flashed with it: apt-get install stlink-tools"),
        (
            GDB,
            "arm-none-eabi-gdb or gdb-multiarch is not installed, and this board is flashed with it:"
            " apt-get install gdb-multiarch",
        ),
        (
            flash.CustomSettings(command="my-flasher {elf}"),
            "my-flasher is not installed, and this board is flashed with it: install it, or correct [flash] of ",
        ),
    ],
)
def test_a_tool_that_is_missing_is_told_with_what_brings_it(
    make: Make, image: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any, said: str
) -> None:
    monkeypatch.setattr(probes, "DEVICES", tmp_path / "no-usb")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert refusal(make(settings), image).startswith(f"desk: {said}")
    assert not make(settings).reset()


def test_a_tool_that_nothing_ends_is_killed_with_what_it_started(
    tools: StandIns, make: Make, image: Any, tmp_path: Path
) -> None:
    file = tmp_path / "pids"
    tools.add("openocd", DEAF.format(pids=str(file)))
    assert refusal(make(OPENOCD), image) == (
        f"desk: openocd: it was killed after 1 s and said: Info : Listening on port 3333; see {tmp_path}/flash.log"
    )
    assert all(map(ends, pids(file)))


def test_ctrl_c_leaves_no_orphan(tools: StandIns, tmp_path: Path) -> None:
    file = tmp_path / "pids"
    tools.add("openocd", DEAF.format(pids=str(file)))
    program = f"""
import sys
from pathlib import Path
from types import SimpleNamespace
from tflm_hil import processes
from tflm_hil.boards.flashers import tool
from tflm_hil.boards.flashers.methods import flasher
from tflm_hil.boards.flashers.tool import Place
from tflm_hil.targets.flash import OpenOcdSettings
processes._TOOL_INTERRUPT_S = 0.1
tool._QUIET_S = 0.0
place = Path({str(tmp_path)!r})
board = flasher(OpenOcdSettings(config=["a.cfg"]), Place("desk", "/dev/null", place / "t.toml", place))
with processes.interruptible():
    image = SimpleNamespace(elf=place / "a.elf")
    board.flash(image, lambda text: (place / "pids").exists() and print(text, flush=True))
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as harness:
        assert harness.stdout is not None
        assert harness.stdout.readline().startswith("flashing desk with openocd: ")
        harness.send_signal(signal.SIGINT)
        assert harness.wait(20) == processes.INTERRUPTED
    assert all(map(ends, pids(file)))


def test_what_a_tool_leaves_behind_is_ended(tools: StandIns, make: Make, image: Any, tmp_path: Path) -> None:
    file = tmp_path / "pids"
    tools.add("pyocd", f"sleep 600 &\necho $! >{file}")
    make(PYOCD).flash(image, silent)
    assert all(map(ends, pids(file)))


def test_progress_is_told_again_and_again(
    tools: StandIns, make: Make, image: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tool, "_QUIET_S", 0.0)
    enough = tmp_path / "enough"
    tools.add("pyocd", f"until [ -e {enough} ]; do sleep 0.01; done")
    told: list[str] = []

    def say(text: str) -> None:
        told.append(text)
        if len(told) == 2:
            enough.touch()

    make(PYOCD).flash(image, say)
    assert told[:2] == ["flashing desk with pyocd: 0 s", "flashing desk with pyocd: 1 s"]


def test_a_tool_that_ends_with_0_is_quoted(tools: StandIns, make: Make, image: Any, tmp_path: Path) -> None:
    tools.add("pyocd", "echo '0001 I Erased 0 bytes, programmed 0 bytes (0 pages) [loader]' >&2")
    assert make(PYOCD).flash(image, silent) == (
        "pyocd ended with 0 and said: 0001 I Erased 0 bytes, programmed 0 bytes (0 pages) [loader];"
        f" see {tmp_path}/flash.log"
    )
    tools.add("pyocd")
    assert make(PYOCD).flash(image, silent) == f"pyocd ended with 0 and said: nothing; see {tmp_path}/flash.log"


# As OpenOCD 0.12, pyOCD 0.46, stlink 1.7 and GDB 13 say it without a probe, or as their sources have it.
@pytest.mark.parametrize(
    ("settings", "name", "output", "status", "said"),
    [
        (OPENOCD, "openocd", "Error: open failed", 1, "found no debug probe: connect it"),
        (OPENOCD, "openocd", "Error: unable to find a matching CMSIS-DAP device", 1, "found no debug probe"),
        (OPENOCD, "openocd", "Error: No J-Link device found", 1, "found no debug probe"),
        (
            OPENOCD,
            "openocd",
            "Error: libusb_open() failed with LIBUSB_ERROR_ACCESS\nError: open failed",
            1,
            "udev rules",
        ),
        (OPENOCD, "openocd", "Error: init mode failed (unable to connect to the target)", 1, "is the board powered"),
        (OPENOCD, "openocd", "Multiple devices found, specify the desired device", 1, "several debug probes"),
        (OPENOCD, "openocd", "embedded:startup.tcl:26: Error: Can't find target/stm32.cfg", 1, "correct its name"),
        (OPENOCD, "openocd", "Error: stm32x device protected", 1, "the chip is locked"),
        (OPENOCD, "openocd", "**** WARNING **** nRF52 device has AP lock engaged", 1, "the chip is locked"),
        (OPENOCD, "openocd", "Error: checksum mismatch - attempting binary compare", 1, "differs from the image"),
        (PYOCD, "pyocd", "No connected debug probes\n0002 E No target device available", 1, "found no debug probe"),
        (PYOCD, "pyocd", "Enter the number of the debug probe or 'q' to quit> ", 1, "several debug probes"),
        (PYOCD, "pyocd", "0001 C Target type nrf99 not recognized. Use 'pyocd list --targets'", 1, "correct chip"),
        (PYOCD, "pyocd", "0001 W NRF52840 APPROTECT enabled: not automatically unlocking", 1, "the chip is locked"),
        (PYOCD, "pyocd", "0001 C Memory transfer fault: SWD/JTAG communication failure (No ACK)", 1, "powered"),
        (ST_FLASH, "st-flash", "WARN usb.c: Couldn't find any ST-Link devices", 255, "found no ST-LINK"),
        (ST_FLASH, "st-flash", "ERROR common.c: Flash memory is write protected", 255, "the chip is locked"),
        (ST_FLASH, "st-flash", "unknown chip id! 0x5fa0004", 255, "does not know this chip"),
        (
            GDB,
            "arm-none-eabi-gdb",
            "a:1: Error in sourced command file:\nConnection refused.",
            1,
            "reaches no GDB server",
        ),
        (GDB, "arm-none-eabi-gdb", "Section .text, range 0x0 -- 0x1: MIS-MATCHED!", 0, "differs from the image"),
        (GDB, "arm-none-eabi-gdb", "Remote connection closed", 1, "the GDB server ended meanwhile"),
    ],
)
def test_what_a_tool_complains_of_is_told_with_the_remedy(
    tools: StandIns,
    make: Make,
    image: Any,
    tmp_path: Path,
    settings: Any,
    name: str,
    output: str,
    status: int,
    said: str,
) -> None:
    tools.says(name, output.encode(), status)
    told = refusal(make(settings), image)
    assert said in told
    assert told.endswith(f"; it ended with {status}; see {tmp_path}/flash.log")


def test_a_complaint_that_nobody_knows_is_quoted(tools: StandIns, make: Make, image: Any, tmp_path: Path) -> None:
    tools.says("pyocd", b"\x1b[31mone\x1b[0m\n[##  ]\r[####]\r\n\xff\xfe\x07 flash \0is worn out\n\n", 3)
    told = refusal(make(PYOCD), image)
    assert told == f"desk: pyocd: it ended with 3 and said: [####] | flash is worn out; see {tmp_path}/flash.log"


@pytest.mark.parametrize(
    ("output", "said"),
    [
        (b"x" * 3_000_000 + b"!", f"{'x' * 150} ... {'x' * 149}!"),
        ("Größe: 4 千\x9b31m\u202e".encode(), "Größe: 4 千31m"),
    ],
)
def test_what_is_quoted_is_short_and_harmless(
    tools: StandIns, make: Make, image: Any, tmp_path: Path, output: bytes, said: str
) -> None:
    tools.says("pyocd", output, 3)
    assert refusal(make(PYOCD), image) == f"desk: pyocd: it ended with 3 and said: {said}; see {tmp_path}/flash.log"


def test_a_tool_that_crashes_is_told_with_its_signal(tools: StandIns, make: Make, image: Any, tmp_path: Path) -> None:
    tools.add("pyocd", "kill -SEGV $$")
    told = refusal(make(PYOCD), image)
    assert told == f"desk: pyocd: it was killed by SIGSEGV and said: nothing; see {tmp_path}/flash.log"


def test_a_reset_is_bounded_and_its_failure_is_no_error(
    tools: StandIns, make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "pids"
    tools.add("openocd", DEAF.format(pids=str(file)))
    monkeypatch.setattr(tool, "RESET_S", 0.5)
    assert not make(OPENOCD).reset()
    assert not file.exists() or all(map(ends, pids(file)))
    tools.add("openocd", "exit 1")
    assert not make(OPENOCD).reset()


def test_a_tool_that_cannot_be_started_is_told(tools: StandIns, make: Make, image: Any) -> None:
    program = tools.add("pyocd")
    program.write_text("#!/nonexistent/python\n")
    assert refusal(make(PYOCD), image) == f"{program}: cannot start: No such file or directory: {program}"


ST_LINK = {"idVendor": "0483", "idProduct": "374b", "product": "STM32 STLink", "serial": "066D"}
DAPLINK = {"idVendor": "0d28", "idProduct": "0204", "product": '"BBC micro:bit CMSIS-DAP"', "serial": "9900"}
J_LINK = {"idVendor": "1366", "idProduct": "0101", "product": "J-Link", "serial": "000683"}
HUB = {"idVendor": "1d6b", "idProduct": "0002", "product": "xHCI Host Controller", "serial": "0000:00:14.0"}


def plug(folder: Path, *devices: dict[str, str]) -> None:
    for number, device in enumerate(devices):
        place = folder / f"1-{number}"
        place.mkdir(parents=True)
        for name, text in device.items():
            (place / name).write_text(f"{text}\n")


@pytest.fixture
def usb(tmp_path: Path) -> Callable[..., None]:
    return lambda *devices: plug(tmp_path / "no-usb", *devices)


def test_several_probes_are_a_choice_that_is_the_users(
    tools: StandIns, make: Make, image: Any, usb: Callable[..., None]
) -> None:
    tools.add("st-flash")
    tools.add("pyocd")
    usb(ST_LINK, HUB, DAPLINK, ST_LINK | {"serial": "077D"})
    both = "STM32 STLink 066D; STM32 STLink 077D"
    assert refusal(make(ST_FLASH), image) == (
        f"desk: 2 debug probes are connected ({both}): name that of this board,"
        ' with probe = "SERIAL NUMBER" in its [flash]'
    )
    assert refusal(make(PYOCD), image).startswith("desk: 3 debug probes are connected (")
    assert not make(PYOCD).reset()
    assert tools.calls == []
    make(flash.StFlashSettings(probe="077D")).flash(image, silent)
    assert tools.calls[0][:3] == ["--reset", "--serial", "077D"]


@pytest.mark.parametrize(
    ("config", "chosen"),
    [
        ("interface/stlink.cfg", False),
        ("interface/cmsis-dap.cfg", True),
        ("interface/jlink.cfg", True),
        ("a.cfg", True),
    ],
)
def test_openocd_minds_only_the_probes_that_its_configuration_takes(
    tools: StandIns, make: Make, image: Any, usb: Callable[..., None], config: str, chosen: bool
) -> None:
    tools.add("openocd")
    usb(ST_LINK, J_LINK, DAPLINK, ST_LINK | {"serial": "077D"})
    board = make(flash.OpenOcdSettings(config=[config]))
    if chosen:
        board.flash(image, silent)
    else:
        assert "2 debug probes are connected" in refusal(board, image)


def test_a_board_with_a_probe_of_its_own_is_flashed_through_that(
    tools: StandIns, make: Make, image: Any, usb: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    tools.add("st-flash")
    usb(ST_LINK, ST_LINK | {"serial": "077D"})
    monkeypatch.setattr(Place, "usb_serial", "077D")
    make(ST_FLASH).flash(image, silent)
    assert tools.calls[0][:3] == ["--reset", "--serial", "077D"]
