"""Boards of other distributions: chosen by their kind, and blamed for what they raise."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.distributions import installed, write_distribution
from support.targets import STM32F4
from tflm_hil.boards.selection import GROUP, find
from tflm_hil.errors import HilError
from tflm_hil.extensions import ExtensionError
from tflm_hil.progress import silent

MODULE = """
from tflm_hil.boards.board import Board
from tflm_hil.boards.counters import CycleCounter

class Part:
    def boot(self, console):
        return console.open()
    def open(self):
        return Line()
    def close(self):
        pass
    persistent = True
    link = "uart"
    def flash(self, image, say):
        raise KeyError("no such probe")
    def trouble(self):
        return ""
    def release(self):
        pass

class Line:
    def read(self, timeout):
        raise OSError("unplugged")

class Kind:
    def check(self, spec, targets):
        {check}
    def links(self, spec):
        return ["uart"]
    def processes(self, spec):
        return None
    def open(self, spec, targets, run_dir, say):
        part = Part()
        {open}
"""
BOARD = "return Board(spec.text, None, part, part, part, CycleCounter(targets[0].core), part)"
WHO = "lab 9, entry point lab = lab_boards:Kind: "
Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path) -> Iterator[Install]:
    with installed(tmp_path):

        def write(check: str = "return 'labemu 1'", open_: str = BOARD, text: str = MODULE) -> None:
            module = text.replace("{check}", check).replace("{open}", open_)
            write_distribution(tmp_path, "lab", {GROUP: {"lab": "lab_boards:Kind"}}, {"lab_boards": module})

        yield write
    sys.modules.pop("lab_boards", None)


def test_a_board_of_an_extension_is_chosen_by_its_kind(install: Install, tmp_path: Path) -> None:
    install()
    choice = find("lab:bench 3?power=off", "auto", {}).check([STM32F4])
    assert choice.describe() == "lab:bench 3 (labemu 1, stm32f4)"
    assert choice.links == ("uart",)
    assert (choice.found.spec.address, choice.found.spec.options) == ("bench 3", {"power": "off"})
    board = choice.open(tmp_path, silent)
    assert board.name == "lab:bench 3"


def test_it_is_listed_without_being_loaded(install: Install) -> None:
    install(text="1/0")
    with pytest.raises(
        HilError,
        match="unknown kind bochs; choose emulated, auto, a port, labgrid:, qemu:, renode:, replay:, serial:, lab:, alt://",
    ):
        find("bochs:", "auto", {}).check([STM32F4])
    assert find("/dev/null", "auto", {}).check([STM32F4]).name == "/dev/null"


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ({"text": "1/0"}, "ZeroDivisionError: division by zero"),
        ({"text": "from nowhere import x"}, "ModuleNotFoundError: No module named 'nowhere'"),
        ({"check": "raise ConnectionError('lab is closed')"}, "ConnectionError: lab is closed"),
    ],
)
def test_one_that_cannot_be_had_is_one_line(install: Install, broken: dict[str, str], said: str) -> None:
    install(**broken)
    with pytest.raises(ExtensionError, match=f"^{re.escape(WHO + said)}") as raised:
        find("lab:", "auto", {}).check([STM32F4])
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("open_", "use", "said"),
    [
        ("raise OSError('gone')", lambda board: board, "OSError: gone"),
        ("return part", lambda board: board, "open() returns a Part; it should be a Board"),
        (BOARD, lambda board: board.flash(None), "KeyError: 'no such probe'"),
        (BOARD, lambda board: board.connect().read(1.0), "OSError: unplugged"),
    ],
)
def test_one_that_fails_when_it_is_used_is_one_line(
    install: Install, tmp_path: Path, open_: str, use: Callable[[Any], Any], said: str
) -> None:
    install(open_=open_)
    choice = find("lab:", "auto", {}).check([STM32F4])
    with pytest.raises(ExtensionError, match=f"^{re.escape(WHO + said)}") as raised:
        use(choice.open(tmp_path, silent))
    assert "\n" not in str(raised.value)
