"""What PlatformIO makes of a target's file: a board, macros and a linker script."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from platformio.exception import UserSideException
from platformio.platform.exception import UnknownBoard
from platformio.platform.factory import PlatformFactory
from support.firmware_helpers import ROOT
from target_board import TargetBoard, find_targets, linker_script, manifest, number_of_bytes
from tflm_hil.engines import environments_file
from tflm_hil.targets import load_targets
from tflm_hil.targets.target import Region

OURS = load_targets()
BUILT = [target for target in OURS.values() if target.build]
PLATFORM = ROOT / "firmware" / "platform"

MEMORY = {
    "flash": {"origin": 0x0800_0000, "size": "64K"},
    "ram": {"origin": 0x2000_0000, "size": "16K"},
    "ccm": {"origin": 0x1000_0000, "size": "512"},
}


@pytest.mark.parametrize("target", BUILT, ids=lambda target: target.name)
def test_platformio_reads_of_a_target_what_the_harness_does(target) -> None:  # type: ignore[no-untyped-def]
    board = TargetBoard(target.file)
    assert board.id == target.name
    assert board.get("upload.maximum_size") == target.memory["flash"].bytes
    assert board.get("upload.maximum_ram_size") == target.memory["ram"].bytes
    assert board.get("build.f_cpu") == f"{target.clock_hz}L"
    assert board.get("build.parts") == target.build.parts
    assert board.get("build.defines")["BOARD_UART_BAUD"] == f"{target.uart.baud}u"
    assert board.get_brief_data()["fcpu"] == target.clock_hz


@pytest.mark.parametrize(("size", "number"), [("512", 512), ("16K", 16384), ("4M", 4194304)])
def test_sizes_are_those_of_linker_scripts(size: str, number: int) -> None:
    assert number_of_bytes(size) == number


@given(st.from_regex(r"[1-9]\d{0,8}[KM]?", fullmatch=True))
def test_platformio_and_the_harness_read_the_same_size(size: str) -> None:
    assert number_of_bytes(size) == Region(0, size).bytes


def test_macros_are_those_of_the_uart_and_of_the_file() -> None:
    target = {
        "chip": "X1",
        "core": "Cortex-M4",
        "clock_hz": 80_000_000,
        "memory": MEMORY,
        "uart": {"baud": 9600, "tx": "PB10", "rx": "P1.03"},
        "build": {
            "flags": [],
            "parts": [],
            "stack": "1K",
            "credits": 4,
            "defines": {"A": 0x4000_0000, "B": -1, "C": "D"},
        },
    }
    assert manifest(target)["build"]["defines"] == {
        "BOARD_UART_BAUD": "9600u",
        "BOARD_UART_TX_PORT": "1u",
        "BOARD_UART_TX_PIN": "10u",
        "BOARD_UART_RX_PORT": "1u",
        "BOARD_UART_RX_PIN": "3u",
        "A": "1073741824u",
        "B": "-1",
        "C": "D",
    }


def test_a_sensor_names_its_driver_its_place_and_its_pins() -> None:
    board = TargetBoard(OURS["stm32f4_lsm6dso"].file)
    assert board.get("build.sensor") == "lsm6dso"
    assert {name: value for name, value in board.get("build.defines").items() if "SENSOR" in name} == {
        "BOARD_SENSOR_BUS": "1u",
        "BOARD_SENSOR_ADDRESS": "106u",
        "BOARD_SENSOR_SCL_PORT": "1u",
        "BOARD_SENSOR_SCL_PIN": "8u",
        "BOARD_SENSOR_SDA_PORT": "1u",
        "BOARD_SENSOR_SDA_PIN": "9u",
    }


@pytest.mark.parametrize("target", [target for target in BUILT if not target.sensor], ids=lambda target: target.name)
def test_other_targets_know_nothing_of_sensors(target) -> None:  # type: ignore[no-untyped-def]
    board = TargetBoard(target.file)
    assert board.get("build.sensor") == ""
    assert not [name for name in board.get("build.defines") if "SENSOR" in name]


def test_pins_have_the_names_that_chip_makers_give_them() -> None:
    defines = TargetBoard(OURS["pico"].file).get("build.defines")
    assert [defines[f"BOARD_UART_{end}"] for end in ("TX_PORT", "TX_PIN", "RX_PORT", "RX_PIN")] == [
        "0u",
        "0u",
        "0u",
        "1u",
    ]


@pytest.mark.skipif(shutil.which("arm-none-eabi-gcc") is None, reason="no arm-none-eabi-gcc")
def test_each_region_of_memory_has_a_section(tmp_path: Path) -> None:
    (tmp_path / "target.ld").write_text(linker_script(MEMORY, "1K"))
    (tmp_path / "main.c").write_text(
        '__attribute__((section(".ccm.table"))) int there[4];\nint here = 1;\n'
        "void startup_reset(void) { there[0] = here; }\n"
    )
    command = ["arm-none-eabi-gcc", "-mcpu=cortex-m3", "-nostdlib", "-nostartfiles", "-o", "program.elf", "main.c"]
    subprocess.run([*command, "-T", "target.ld", f"-L{PLATFORM / 'ldscripts'}"], cwd=tmp_path, check=True)
    listed = subprocess.run(
        ["arm-none-eabi-objdump", "-h", "program.elf"], cwd=tmp_path, check=True, capture_output=True, text=True
    ).stdout
    sections = {words[1]: words for line in listed.splitlines() if len(words := line.split()) == 7}
    assert sections[".ccm"][2:4] == ["00000010", "10000000"]
    assert sections[".stack"][2:4] == ["00000400", "20000000"]
    assert sections[".data"][3:5] == ["20000400", sections[".text"][4][:3] + sections[".data"][4][3:]]


def test_targets_are_found_in_a_clone_in_a_package_and_in_a_project(tmp_path: Path) -> None:
    def make(path: str) -> None:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()

    for path in (
        "clone/firmware/platform/platform.py",
        "clone/harness/tflm_hil/targets/a.toml",
        "targets/beside_the_clone.toml",
        "site-packages/tflm_hil/project/firmware/platform/platform.py",
        "site-packages/tflm_hil/targets/b.toml",
        "project/targets/c.toml",
        "project/targets/readme.txt",
    ):
        make(path)
    project, none = tmp_path / "project" / "targets", tmp_path / "none"
    assert set(find_targets(tmp_path / "clone" / "firmware" / "platform", none)) == {"a"}
    package = tmp_path / "site-packages" / "tflm_hil" / "project" / "firmware" / "platform"
    assert set(find_targets(package, none)) == {"b"}
    assert find_targets(package, project)["c"] == project / "c.toml"
    assert set(find_targets(PLATFORM, none)) == set(OURS)


@pytest.mark.parametrize(
    "text", ["", "chip = ", "\xff", "[build]", 'chip = "X"\ncore = "Y"\nclock_hz = 1\nmemory = 3\n[build]\nflags = []']
)
def test_a_file_that_is_no_target_is_one_line(tmp_path: Path, text: str) -> None:
    file = tmp_path / "x1.toml"
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(UserSideException) as raised:
        TargetBoard(file)
    assert str(raised.value).startswith(f"{file}: no target of this firmware (")
    assert "\n" not in str(raised.value)


def test_the_boards_of_the_platform_are_the_targets_that_our_firmware_is_built_for(tmp_path: Path) -> None:
    (tmp_path / "wrong.toml").write_text("chip = 1")
    shutil.copy(OURS["stm32f4"].file, tmp_path / "own.toml")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLATFORMIO_BOARDS_DIR", str(tmp_path))
        platform = PlatformFactory.new(str(PLATFORM))
        assert set(platform.get_boards()) == {*(target.name for target in BUILT), "own"}
        assert platform.board_config("own").get("build.credits") == 16
        with pytest.raises(UnknownBoard):
            platform.board_config("none")
        with pytest.raises(UserSideException, match=r"wrong\.toml: no target of this firmware"):
            platform.board_config("wrong")


def test_the_environments_for_builds_by_hand_are_those_of_our_targets() -> None:
    assert (ROOT / "firmware" / "environments.ini").read_text() == environments_file.text(), "run `make environments`"
