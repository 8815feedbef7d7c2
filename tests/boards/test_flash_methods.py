"""What each method runs, word by word: programs of the tools' names stand in for them."""

from __future__ import annotations

import sys
import typing
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from support.stand_in import StandIns
from support.targets import STM32F4
from support.tiny_elf import PROGRAM, write_tiny_elf
from tflm_hil.boards import probes
from tflm_hil.boards.flashers.methods import METHODS, flasher
from tflm_hil.boards.flashers.tool import Place
from tflm_hil.errors import HilError
from tflm_hil.firmware.build_dir import BuildDir
from tflm_hil.progress import silent
from tflm_hil.targets import flash
from tflm_hil.targets.flash import FlashSettings

PORT = "/dev/ttyACM7"
Make = Callable[..., Any]


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIns:
    monkeypatch.setattr(probes, "DEVICES", tmp_path / "no-usb")
    return StandIns(tmp_path / "bin", monkeypatch)


@pytest.fixture
def image(tmp_path: Path) -> Any:
    return SimpleNamespace(elf=write_tiny_elf(tmp_path / "my program.elf"), application=None)


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Flashers with their logs in a folder that has a space in its name."""
    run_dir = tmp_path / "run dir"
    run_dir.mkdir()
    return lambda settings: flasher(settings, Place("desk", PORT, tmp_path / "hil-boards.toml", run_dir))


def test_every_method_has_its_settings() -> None:
    assert set(METHODS) == set(typing.get_args(FlashSettings))


def test_openocd(tools: StandIns, make: Make, image: Any, tmp_path: Path) -> None:
    tools.add("openocd")
    settings = flash.OpenOcdSettings(config=["interface/stlink.cfg", "own.cfg"], probe="066DFF")
    board = make(settings)
    board.flash(image, silent)
    assert board.reset()
    common = ["-s", str(tmp_path), "-f", "interface/stlink.cfg", "-f", "own.cfg"]
    common += ["-c", "gdb_port disabled; tcl_port disabled; telnet_port disabled", "-c", "adapter serial 066DFF"]
    elf = str(image.elf).replace(" ", "\\ ")
    write = ["init", "reset init", f"flash write_image erase {elf}", f"verify_image {elf}", "reset run", "shutdown"]
    assert tools.calls == [
        [*common, *(word for command in write for word in ("-c", command))],
        [*common, "-c", "init", "-c", "reset run", "-c", "shutdown"],
    ]


def test_pyocd(tools: StandIns, make: Make, image: Any) -> None:
    tools.add("pyocd")
    board = make(flash.PyOcdSettings(chip="nrf51", probe="remote:lab:5555"))
    board.flash(image, silent)
    assert board.reset()
    common = ["-W", "-t", "nrf51", "-u", "remote:lab:5555"]
    assert tools.calls == [["flash", *common, "--format", "elf", str(image.elf)], ["reset", *common]]


def test_st_flash(tools: StandIns, make: Make, image: Any, tmp_path: Path) -> None:
    tools.add("st-flash")
    board = make(flash.StFlashSettings(probe="066DFF"))
    board.flash(image, silent)
    assert board.reset()
    file = tmp_path / "run dir" / "image.bin"
    assert tools.calls == [
        ["--reset", "--serial", "066DFF", "write", str(file), "0x08000000"],
        ["--serial", "066DFF", "reset"],
    ]
    assert file.read_bytes() == PROGRAM


@pytest.mark.parametrize(
    ("server", "address", "halt", "run"),
    [
        ("jlink", "localhost:2331", ["monitor reset"], ["monitor reset", "monitor go"]),
        ("openocd", "localhost:3333", ["monitor reset halt"], ["monitor reset run"]),
        ("pyocd", "localhost:3333", ["monitor reset halt"], ["monitor reset"]),
        ("qemu", "localhost:1234", [], ["monitor system_reset"]),
        ("renode", "localhost:3333", [], ["monitor machine Reset", "monitor start"]),
    ],
)
def test_gdb(
    tools: StandIns, make: Make, image: Any, tmp_path: Path, server: Any, address: str, halt: list[str], run: list[str]
) -> None:
    tools.add("arm-none-eabi-gdb")
    script = tmp_path / "run dir" / "gdb.commands"
    for given, used in ((None, address), ("lab:999", "lab:999")):
        board = make(flash.GdbSettings(server=server, address=given))
        board.flash(image, silent)
        opening = ["set architecture arm", "set tcp connect-timeout 5", "set remotetimeout 10", f"target remote {used}"]
        assert script.read_text().splitlines() == [*opening, *halt, "load", "compare-sections", *run, "detach"]
        assert board.reset()
        assert script.read_text().splitlines() == [*opening, *run, "detach"]
    common = ["-nx", "-nh", "-batch", "-x", str(script)]
    assert tools.calls == [[*common, str(image.elf)], common] * 2


def test_gdb_is_also_called_gdb_multiarch(tools: StandIns, make: Make, image: Any, tmp_path: Path) -> None:
    (tmp_path / "bin" / "only").mkdir()
    tools.add("gdb-multiarch")
    board = make(flash.GdbSettings(server="qemu"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(tmp_path / "bin"))
        board.flash(image, silent)
    assert len(tools.calls) == 1


def test_a_command_of_the_users_own_is_split_by_words_and_read_by_no_shell(
    tools: StandIns, make: Make, image: Any, tmp_path: Path
) -> None:
    tools.add("my-flasher")
    board = make(
        flash.CustomSettings(
            command="my-flasher 'a b' {elf} --bin={bin} {hex}:i {address} -P {port} {serial} $HOME `id` {} ;",
            reset="my-flasher reset {serial}{port}",
            probe="42",
        )
    )
    board.flash(image, silent)
    assert board.reset()
    folder = tmp_path / "run dir"
    files = [str(image.elf), f"--bin={folder}/image.bin", f"{folder}/image.hex:i"]
    assert tools.calls == [
        ["a b", *files, "0x08000000", "-P", PORT, "42", "$HOME", "`id`", "{}", ";"],
        ["reset", f"42{PORT}"],
    ]
    assert (folder / "image.bin").read_bytes() == PROGRAM
    assert (folder / "image.hex").read_text().endswith(":00000001FF\n")


def test_a_command_makes_no_file_that_it_does_not_ask_for(
    tools: StandIns, make: Make, image: Any, tmp_path: Path
) -> None:
    tools.add("my-flasher")
    board = make(flash.CustomSettings(command="my-flasher {elf}"))
    board.flash(image, silent)
    assert [path.name for path in (tmp_path / "run dir").iterdir()] == ["flash.log"]
    assert not board.reset()  # It says nothing of a reset.


def test_a_command_that_asks_for_a_serial_number_needs_one(tools: StandIns, make: Make, image: Any) -> None:
    tools.add("my-flasher")
    with pytest.raises(HilError, match=r"^desk: \[flash\] of .*hil-boards.toml asks for {serial}, .* set probe = "):
        make(flash.CustomSettings(command="my-flasher {serial}")).flash(image, silent)
    assert tools.calls == []


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"command": "a 'b"}, "command in [flash]: No closing quotation"),
        ({"command": " "}, "command in [flash] is empty"),
        (
            {"command": "a {elv}"},
            "command in [flash] knows no {elv}, but {port}, {serial}, {elf}, {bin}, {hex}, {address}",
        ),
        ({"command": "a", "reset": "a {elf}"}, "reset in [flash] knows no {elf}, but {port}, {serial}"),
    ],
)
def test_a_command_that_is_none_is_refused_with_its_file(table: dict[str, str], said: str) -> None:
    with pytest.raises(msgspec.ValidationError) as raised:
        msgspec.convert({"method": "custom", **table}, FlashSettings)
    assert said in str(raised.value)


def test_platformio_uploads_what_was_built(make: Make, image: Any, tmp_path: Path) -> None:
    build_dir = BuildDir(tmp_path, tmp_path / ".hil", "application-wave", STM32F4, "wave")
    write = flasher_call(make(flash.PlatformIoSettings()))
    call = write(SimpleNamespace(elf=image.elf, application=build_dir))
    assert call.argv == [
        *(sys.executable, "-P", "-m", "platformio", "run", "--project-dir", str(tmp_path), "--environment", "wave"),
        *("--target", "upload", "--upload-port", PORT),
    ]
    assert call.environment["PLATFORMIO_BUILD_DIR"] == str(build_dir.build)


def test_platformio_uploads_nothing_that_it_did_not_build(make: Make, image: Any) -> None:
    with pytest.raises(HilError, match=r"^desk: method platformio uploads only what an environment of your own"):
        make(flash.PlatformIoSettings()).flash(image, silent)


def flasher_call(board: Any) -> Callable[[Any], Any]:
    """How the board's method would write an image."""
    write: Callable[[Any], Any] = board._method.write
    return write
