"""The same firmware on every core: what is in its image, and that it boots, counts, resets and dies there."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import ARMAttributesSection
from support.emulated_image import RECURSE, SPIN, address_range, build, count_at, crash, run
from support.targets import BUILT, EVERY_TIME, TARGETS
from tflm_hil.boards.qemu.board import QemuBoard
from tflm_hil.boards.spec import AUTO, RTT, UART
from tflm_hil.device.client import Client
from tflm_hil.device.device_info import Counter
from tflm_hil.device.messages import FaultKind
from tflm_hil.device.uart_log import UartLog
from tflm_hil.errors import DeviceError
from tflm_hil.firmware.image import FirmwareImage
from tflm_hil.targets import Target


@dataclass(frozen=True)
class Chip:
    """What distinguishes the image of a target: its core and memories, the interrupt of its UART and its counter."""

    core: str
    architecture: str
    fpu: bool
    flash: range
    ram: range
    uart_irq: int
    counter: Counter = Counter.SYSTICK
    boot_bytes: int = 0
    """What comes before the vectors."""


def memory(start: int, kib: int) -> range:
    return range(start, start + kib * 1024)


RAM = 0x2000_0000
CHIPS = {
    "nrf51": Chip("Cortex-M0", "6S-M", False, memory(0, 256), memory(RAM, 16), 2, Counter.TIMER),
    "stm32f2": Chip("Cortex-M3", "7-M", False, memory(0x0800_0000, 1024), memory(RAM, 128), 38),
    "stm32f4": Chip("Cortex-M4", "7E-M", True, memory(0x0800_0000, 512), memory(RAM, 128), 38),
    "stm32f4_lsm6dso": Chip("Cortex-M4", "7E-M", True, memory(0x0800_0000, 512), memory(RAM, 128), 38),
    "stm32f4_mpu6050": Chip("Cortex-M4", "7E-M", True, memory(0x0800_0000, 512), memory(RAM, 128), 38),
    "mps2_an386": Chip("Cortex-M4", "7E-M", True, memory(0, 4096), memory(RAM, 4096), 0),
    "mps2_an500": Chip("Cortex-M7", "7E-M", True, memory(0, 4096), memory(RAM, 4096), 0),
    "mps2_an505": Chip("Cortex-M33", "8-M.MAIN", True, memory(0x1000_0000, 4096), memory(0x3800_0000, 4096), 32),
    "nucleo_f446re": Chip("Cortex-M4", "7E-M", True, memory(0x0800_0000, 512), memory(RAM, 128), 38),
    "nucleo_f411re": Chip("Cortex-M4", "7E-M", True, memory(0x0800_0000, 512), memory(RAM, 128), 38),
    "nucleo_f401re": Chip("Cortex-M4", "7E-M", True, memory(0x0800_0000, 512), memory(RAM, 96), 38),
    "disco_f407vg": Chip("Cortex-M4", "7E-M", True, memory(0x0800_0000, 1024), memory(RAM, 128), 38),
    "nrf52840_dk": Chip("Cortex-M4", "7E-M", True, memory(0, 1024), memory(RAM, 256), 2),
    "nucleo_l4r5zi": Chip("Cortex-M4", "7E-M", True, memory(0x0800_0000, 2048), memory(RAM, 640), 70),
    "pico": Chip("Cortex-M0+", "6S-M", False, memory(0x1000_0000, 2048), memory(RAM, 264), 20, boot_bytes=256),
}
ANSWERS_WHERE_NOTHING_IS = "stm32f2"
"""QEMU's netduino2 reads 0 from addresses at which there is nothing, instead of a bus error."""


def some(targets: Iterable[Target]) -> list[Any]:
    """The names of `targets` as parameters."""
    return [
        pytest.param(target.name, marks=[] if target.name in EVERY_TIME else pytest.mark.nightly) for target in targets
    ]


@pytest.fixture(params=some(target for target in BUILT if target.qemu))
def image(request: pytest.FixtureRequest) -> FirmwareImage:
    """The image of a target that QEMU stands in for."""
    return build(TARGETS[request.param])


@pytest.fixture
def link() -> str:
    return AUTO


@pytest.fixture
def board(image: FirmwareImage, tmp_path: Path, link: str) -> Iterator[QemuBoard]:
    board = QemuBoard("emulated", tmp_path, link)
    board.flash(image)
    yield board
    board.close()


@pytest.fixture
def client(board: QemuBoard, tmp_path: Path) -> Client:
    client = Client(board.connect(), UartLog(tmp_path / "uart.log"), timeout=2.0, retries=2)
    client.hello()
    return client


@pytest.mark.parametrize("image", some(BUILT), indirect=True)
def test_the_image_is_of_its_core_and_in_its_memories(image: FirmwareImage) -> None:
    chip, target = CHIPS[image.target.name], image.target
    vectors = struct.unpack_from("<128I", image.bin.read_bytes(), chip.boot_bytes)
    with image.elf.open("rb") as stream:
        elf = ELFFile(stream)
        table = elf.get_section_by_name(".ARM.attributes")
        assert isinstance(table, ARMAttributesSection)
        attributes = {
            attribute.tag: attribute.value
            for part in table.iter_subsections()
            for block in part.iter_subsubsections()
            for attribute in block.iter_attributes()
        }
        for section in elf.iter_sections():
            if section["sh_flags"] & 2:  # SHF_ALLOC
                place = chip.ram if section["sh_flags"] & 1 else chip.flash  # SHF_WRITE
                assert section["sh_addr"] in place, section.name
                assert section["sh_addr"] + section["sh_size"] in place, section.name
    assert (target.core, target.memory["flash"].origin) == (chip.core, chip.flash.start)
    assert (attributes["TAG_CPU_NAME"], "TAG_FP_ARCH" in attributes) == (chip.architecture, chip.fpu)
    assert vectors[0] == chip.ram.start + image.sections[".stack"]
    assert vectors[1] - 1 in chip.flash
    assert vectors[16 + chip.uart_irq] - 1 in address_range(image, "measure_uart_interrupt")
    assert set(vectors[2:15]) == {address_range(image, "fault_entry").start | 1}


@pytest.mark.parametrize("link", [UART, RTT])
def test_it_boots_answers_and_counts_every_instruction(
    image: FirmwareImage, board: QemuBoard, client: Client, link: str
) -> None:
    assert board.link == link
    info = client.hello()
    assert (info.target, info.counter, info.build_id) == (
        image.target.name,
        CHIPS[image.target.name].counter,
        image.build_id,
    )
    assert 100 < client.status().stack_peak < client.status().stack_size
    board.check(info)
    pattern = bytes(range(256)) * 4
    assert client.echo(pattern) == pattern
    amounts = [1, 2, 101, 102, 300]
    counts = [board.counts(info, result.invoke_ticks) for result in run(client, *((SPIN, n) for n in amounts))]
    # 1000 turns of a loop of two instructions for each; so few that no counter wraps.
    assert [count - counts[0] for count in counts] == [2000 * (amount - 1) for amount in amounts]
    client.reset()
    client.hello()
    assert client.status().windows == 0


# At these rates the counters tick less often than twice an instruction, as on hardware. One target for each handler.
@pytest.mark.parametrize("link", [UART])
@pytest.mark.parametrize(("image", "shift"), [("nrf51", 6), ("stm32f4", 3), ("mps2_an386", 5)], indirect=["image"])
def test_interrupts_at_the_rate_of_hardware_stay_on_and_are_taken_out(
    board: QemuBoard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shift: int
) -> None:
    count_at(shift, monkeypatch)
    client = Client(board.connect(), UartLog(tmp_path / "uart.log"), timeout=2.0, retries=2)
    client.hello()
    undisturbed = run(client, (SPIN, 1000))[0].invoke_ticks
    # While the first windows are computed, the requests for the others arrive, unless the machine has no time for that.
    ticks: list[int] = []
    interrupts = 0
    while not interrupts and len(ticks) < 3000:
        ticks += [result.invoke_ticks for result in run(client, *[(SPIN, 1000)] * 60)]
        interrupts = client.status().interrupts
    assert interrupts > 0
    # A tick is no whole number of instructions here, so each reading is up to one off.
    assert sum(abs(each - undisturbed) for each in ticks) <= 3 * interrupts + len(ticks)


def test_it_reports_where_it_died(image: FirmwareImage, board: QemuBoard, client: Client, tmp_path: Path) -> None:
    kinds = [FaultKind.UNDEFINED, *([] if image.target.name == ANSWERS_WHERE_NOTHING_IS else [FaultKind.BUS_ERROR])]
    for kind in kinds:
        client.fault(kind)
        said = str(crash(client))
        pc = int(re.findall(r"PC (0x[0-9a-f]+)", said)[0], 16)
        assert pc in address_range(image, "board_crash")
        client = Client(board.connect(), UartLog(tmp_path / "again.log"), timeout=2.0, retries=2)
        client.hello()


def test_a_stack_overflow_is_a_fault(client: Client) -> None:
    with pytest.raises(DeviceError, match=r"crashed: .*fault"):
        run(client, (RECURSE, 0))
