"""What a session makes of its options."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.hil_command import ROOT
from support.needs import needs_compiler, needs_emulator
from tflm_hil.errors import HilError
from tflm_hil.lab.options import Flash, Options
from tflm_hil.lab.session import Session


@pytest.fixture
def boards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's hil-boards.toml."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "tflm-hil").mkdir()
    return tmp_path / "tflm-hil" / "hil-boards.toml"


def session(*targets: str, board: str = "desk", flash: Flash = Flash.NEVER) -> Session:
    return Session(
        Options(
            root=ROOT,
            boards=(board,),
            emulator="auto",
            targets=targets,
            engine="aot",
            models=("gesture",),
            report_dir=Path("reports"),
            baseline_dir=None,
            update_baseline=False,
            flash=flash,
            trace=False,
            coverage=False,
        )
    )


@needs_compiler
def test_the_target_is_the_boards_unless_another_one_is_asked_for(boards: Path) -> None:
    boards.write_text('schema = "hil-boards/1"\n[boards.desk]\nport = "/dev/null"\ntarget = "nrf51"\n')
    assert [target.name for target in session().targets] == ["nrf51"]
    assert [target.name for target in session("nrf51").targets] == ["nrf51"]
    with pytest.raises(
        HilError, match=r"^board desk is a nrf51 \(.*/hil-boards\.toml: \[boards\.desk\]\), not stm32f4: "
    ):
        session("stm32f4")


@pytest.mark.parametrize("board", ["emulated", "qemu:"])
def test_an_emulated_board_has_to_be_flashed(board: str) -> None:
    with pytest.raises(HilError, match=r"^--hil-flash=never: the emulated board keeps no image"):
        session(board=board)


@needs_compiler
def test_a_board_that_says_no_target_is_what_is_asked_for(boards: Path) -> None:
    boards.write_text('schema = "hil-boards/1"\n[boards.desk]\nport = "/dev/null"\n')
    assert [target.name for target in session().targets] == ["stm32f4"]
    assert [target.name for target in session("nrf51").targets] == ["nrf51"]


def test_an_unknown_target_of_a_board_is_told_with_its_place(boards: Path) -> None:
    boards.write_text('schema = "hil-boards/1"\n[boards.desk]\nport = "/dev/null"\ntarget = "stm32f5"\n')
    with pytest.raises(HilError, match=r"^.*/hil-boards\.toml: \[boards\.desk\]: unknown target stm32f5; choose uno, "):
        session()


@needs_compiler
@needs_emulator
def test_a_wrong_file_of_boards_is_no_matter_of_the_emulated_one(boards: Path) -> None:
    boards.write_text("[boards")
    assert session(board="emulated", flash=Flash.AUTO).board.name == "emulated"
    with pytest.raises(HilError, match=r"hil-boards\.toml: is not TOML"):
        session()
