"""Targets as files: ours, those of a project, and what is said of wrong ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from tflm_hil.errors import HilError
from tflm_hil.targets import find_targets, load_targets

OURS = load_targets()

TARGET = """\
schema = "hil-target/1"
chip = "X1"
core = "Cortex-M4"
clock_hz = 80_000_000

[memory]
flash = { origin = 0x0800_0000, size = "64K" }
ram = { origin = 0x2000_0000, size = "20K" }

[uart]
baud = 115_200
tx = "PA9"
rx = "P0.10"

[build]
flags = ["-mcpu=cortex-m4"]
parts = ["cortexm"]
stack = "2K"
credits = 4
defines = { X1_UART = 1 }

[sensor]
driver = "lsm6dso"
bus = "i2c2"
address = 0x6B
scl = "PB10"
sda = "PB11"

[qemu]
machine = "netduinoplus2"
icount_shift = 6
counter_hz = 168_000_000

[renode]
uart = "u0"
mips = 1
counter_hz = 1_000_000
peripherals.u0 = { model = "UART.X1", address = 0x4000_0000, irq = 1 }
"""


def write(folder: Path, text: str = TARGET, name: str = "x1") -> Path:
    file = folder / f"{name}.toml"
    file.write_text(text)
    return file


def test_targets_are_named_once_each_or_all_together() -> None:
    assert [target.name for target in find_targets(OURS, ["stm32f4", "nrf51", "stm32f4"])] == ["stm32f4", "nrf51"]
    every = find_targets(OURS, ["all"])
    assert [target.core for target in every] == [f"Cortex-M{number}" for number in (0, 3, 4, 4, 4, 4, 4, 4, 7, 33)]
    assert [target.name for target in find_targets(OURS, ["stm32f4", "all"])][:3] == ["stm32f4", "nrf51", "stm32f2"]
    with pytest.raises(
        HilError, match=r"^unknown target esp32; choose uno, mega2560, nrf51, pico, stm32f2, .*stm32f4, .* all$"
    ):
        find_targets(OURS, ["stm32f4", "esp32"])


def test_all_targets_are_those_that_every_emulator_emulates(tmp_path: Path) -> None:
    write(tmp_path, TARGET[: TARGET.index("[renode]")])
    targets = load_targets(tmp_path)
    assert "x1" in [target.name for target in find_targets(targets, ["all"])]
    assert "x1" not in [target.name for target in find_targets(targets, ["all"], ["qemu", "renode"])]
    in_qemu, in_renode = (find_targets(OURS, ["all"], [emulator]) for emulator in ("qemu", "renode"))
    both = tuple(target for target in in_qemu if target in in_renode)
    assert find_targets(targets, ["all"], ["qemu", "renode"]) == both != in_renode


def test_a_project_adds_targets_of_its_own(tmp_path: Path) -> None:
    write(tmp_path)
    targets = load_targets(tmp_path)
    assert set(targets) == {*OURS, "x1"}
    (target,) = find_targets(targets, ["x1"])
    assert target.memory["ram"].bytes == 20 * 1024
    assert "x1" in [each.name for each in find_targets(targets, ["all"])]


def test_a_board_without_an_emulator_and_a_chip_of_other_firmware_are_not_among_all(tmp_path: Path) -> None:
    write(tmp_path, TARGET[: TARGET.index("[qemu]")], "real")
    write(tmp_path, TARGET[: TARGET.index("[build]")] + TARGET[TARGET.index("[qemu]") :], "other")
    targets = load_targets(tmp_path)
    assert find_targets(targets, ["all"]) == find_targets(OURS, ["all"])
    assert [target.name for target in find_targets(targets, ["real", "other"])] == ["real", "other"]


@pytest.mark.parametrize("name", ["stm32f4", "uno"])
def test_a_project_cannot_take_a_name_of_ours(tmp_path: Path, name: str) -> None:
    file = write(tmp_path, name=name)
    with pytest.raises(HilError) as raised:
        load_targets(tmp_path)
    assert str(raised.value) == f"{file}: tflm-hil has a target {name} already; rename the file"


@pytest.mark.parametrize("name", ["all", "a-b", "1x", "a b", "é"])
def test_a_name_is_one_of_c_and_of_platformio(tmp_path: Path, name: str) -> None:
    file = write(tmp_path, name=name)
    with pytest.raises(HilError) as raised:
        load_targets(tmp_path)
    assert str(raised.value).startswith(f"{file}: ")
    assert "rename" in str(raised.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        pytest.param("hil-target/1", "hil-target/2", "pip install --upgrade tflm-hil", id="newer-schema"),
        pytest.param('schema = "hil-target/1"\n', "", 'write schema = "hil-target/1"', id="no-schema"),
        pytest.param("clock_hz", "clock", "unknown field `clock`; did you mean clock_hz?", id="misspelt"),
        pytest.param("baud", "bauds", "unknown field `bauds` - at `$.uart`; did you mean baud?", id="misspelt-uart"),
        pytest.param("[qemu]", "[bochs]", "unknown field `bochs`", id="table"),
        pytest.param("[uart]", "[uart]\nmachine = 'x'", "it belongs in [qemu] of a target file", id="misplaced"),
        pytest.param("core =", "stack = '1K'\ncore =", "it belongs in [build] of a target file", id="misplaced-stack"),
        pytest.param('chip = "X1"\n', "", "missing required field `chip`", id="missing"),
        pytest.param("80_000_000", "0", "Expected `int` >= 1 - at `$.clock_hz`", id="clock"),
        pytest.param('"64K"', '"64k"', "matching regex", id="size"),
        pytest.param('"64K"', "65536", "Expected `str`, got `int`", id="size-as-number"),
        pytest.param('"64K"', '"0K"', "matching regex", id="no-size"),
        pytest.param("0x0800_0000", "-1", "Expected `int` >= 0", id="origin"),
        pytest.param("0x0800_0000", "0x1_0000_0000", "Expected `int` <= 4294967295", id="origin-beyond"),
        pytest.param("flash =", "rom =", "[memory] has no flash", id="no-flash"),
        pytest.param("flash =", "FLASH =", "matching regex", id="region"),
        pytest.param('"PA9"', '"9"', "matching regex", id="pin"),
        pytest.param('"P0.10"', '"PA"', "matching regex", id="pin-without-number"),
        pytest.param('["cortexm"]', '["../cortexm"]', "matching regex", id="part"),
        pytest.param('["cortexm"]', "[]", "length >= 1", id="no-parts"),
        pytest.param("credits = 4", "credits = 3", "credits is not a power of two", id="credits"),
        pytest.param("X1_UART = 1", "'X1-UART' = 1", "matching regex", id="macro"),
        pytest.param("X1_UART = 1", "X1_UART = true", "got `bool`", id="define"),
        pytest.param("icount_shift = 6\n", "", "icount_shift and counter_hz go together", id="half-a-counter"),
        pytest.param("168_000_000", "16_000_000", "gives 1.024 ticks an instruction", id="counter-too-slow"),
        pytest.param("[qemu]", "[qemu]\nprogram = 'sh'", "matching regex", id="program"),
        pytest.param("mips = 1", "mips = 2", "2 MIPS give 0.5 ticks an instruction", id="renode-too-fast"),
        pytest.param('model = "UART.X1", ', "", "model and address go together", id="half-a-peripheral"),
        pytest.param('uart = "u0"', 'uart = "u1"', "u1 is nowhere described", id="no-uart"),
        pytest.param("u0 = {", "u1 = {}\nperipherals.u0 = {", "u1 is nowhere described", id="no-peripheral"),
        pytest.param("0x4000_0000", "0x1_4000_0000", "Expected `int` <= 4294967295", id="address"),
        pytest.param('"UART.X1"', '"UART.X1 @ sysbus 0"', "matching regex", id="model"),
        pytest.param("irq = 1", "irqs = 1", "unknown field `irqs` - at `$.renode.peripherals.u0`; did you", id="irq"),
        pytest.param('"lsm6dso"', '"lsm9ds1"', "Invalid enum value 'lsm9ds1' - at `$.sensor.driver`", id="driver"),
        pytest.param('"i2c2"', '"spi1"', "Invalid enum value 'spi1' - at `$.sensor.bus`", id="bus"),
        pytest.param("0x6B", "0xD6", "Expected `int` <= 119 - at `$.sensor.address`", id="address-of-8-bits"),
        pytest.param('scl = "PB10"\n', "", "missing required field `scl`", id="no-pin"),
        pytest.param("[qemu]", "[qemu", "is not TOML", id="toml"),
    ],
)
def test_a_wrong_file_is_one_line_that_names_the_key(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in TARGET
    file = write(tmp_path, TARGET.replace(old, new))
    with pytest.raises(HilError) as raised:
        load_targets(tmp_path)
    said = str(raised.value)
    assert said.startswith(f"{file}: ")
    assert message in said
    assert "\n" not in said
