"""hil-boards.toml: names of boards, found by what USB says of them."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import serial
from hypothesis import given, settings
from hypothesis import strategies as st
from serial.tools import list_ports
from support.targets import STM32F4, TARGETS
from support.usb import usb_port
from tflm_hil.boards.board_file import FILE, BoardFile, PowerSwitch, load_named_boards
from tflm_hil.boards.selection import find
from tflm_hil.boards.serial.board import SerialBoard
from tflm_hil.errors import HilError
from tflm_hil.progress import silent
from tflm_hil.toml_file import fit

HEAD = 'schema = "hil-boards/1"\n'


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the user's configuration, which has none yet."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(list_ports, "comports", list)
    folder = tmp_path / "home" / "tflm-hil"
    folder.mkdir(parents=True)
    return folder


def write(folder: Path, text: str) -> Path:
    (folder / FILE).write_text(HEAD + text)
    return folder


def connect(monkeypatch: pytest.MonkeyPatch, *ports: Any) -> None:
    monkeypatch.setattr(list_ports, "comports", lambda: list(ports))


def test_the_rings_of_a_board_are_its_link_if_that_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(monkeypatch, usb_port("/dev/null", "066FFF"))
    named = load_named_boards(write(tmp_path, '[boards.desk]\nserial_number = "066FFF"\nrtt = "localhost:9090"'))
    for asked, link in (("auto", "uart"), ("uart", "uart"), ("rtt", "rtt")):
        choice = find("desk", "auto", named, asked).check([STM32F4])
        assert choice.links == (("uart", "rtt") if asked == "auto" else (link,))
        board = choice.open(tmp_path, silent)
        assert board.link == link
    with pytest.raises(HilError, match="desk: connection refused: have the probe's program serve RTT there"):
        board.connect()


@pytest.mark.parametrize(
    "identified",
    [
        'serial_number = "066FFF"',
        'serial_number = "066fff"',
        'vid_pid = "0483:374b"\nlocation = "1-1.4"',
        'location = "1-1.4"\ninterface = "1.2"',
    ],
)
def test_a_board_is_found_on_usb_under_whatever_name_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, identified: str
) -> None:
    named = load_named_boards(write(tmp_path, f"[boards.desk-nucleo]\n{identified}"))
    connect(monkeypatch, usb_port("/dev/ttyACM0", "other", "1-7"), usb_port("/dev/null", "066FFF", "1-1.4:1.2"))
    choice = find("desk-nucleo", "auto", named).check([STM32F4])
    assert (choice.name, choice.found.spec.address) == ("desk-nucleo", "/dev/null")
    assert choice.describe() == "desk-nucleo (/dev/null, stm32f4)"


def test_what_the_file_says_comes_before_what_the_target_says(tmp_path: Path) -> None:
    named = load_named_boards(write(tmp_path, '[boards.a]\nport = "COM3"\nbaud = 9600\ndtr = "low"'))
    uart = named["a"].line(STM32F4.uart)
    assert (uart.baud, uart.dtr, uart.rts) == (9600, "low", "high")
    board = find("a", "auto", named).check([STM32F4]).open(tmp_path, silent)
    assert isinstance(board, SerialBoard)
    assert board.name == "a"


def test_a_port_that_has_another_name_once_the_firmware_is_built_is_found_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []

    def refuse(port: str, **_settings: object) -> None:
        opened.append(port)
        raise OSError("no such thing")

    monkeypatch.setattr(serial, "serial_for_url", refuse)
    named = load_named_boards(write(tmp_path, '[boards.a]\nserial_number = "1"'))
    connect(monkeypatch, usb_port("/dev/null", "1"))
    choice = find("a", "auto", named).check([STM32F4])
    connect(monkeypatch, usb_port("/dev/null", "2"), usb_port("/dev/full", "1"))
    with pytest.raises(HilError, match=r"^a: cannot open it: no such thing"):
        choice.open(tmp_path, silent).connect()
    assert opened == ["/dev/full"]


def test_a_board_may_be_at_a_port_a_url_or_a_place_of_a_lab(tmp_path: Path) -> None:
    named = load_named_boards(
        write(
            tmp_path,
            '[boards.a]\nport = "/dev/null"\n[boards.b]\nport = "socket://lab:3000"\n[boards.c]\nport="lab"\n'
            '[boards.d]\nport = "labgrid:desk?wait=5"',
        )
    )
    assert find("a", "auto", named).spec.address == "/dev/null"
    assert find("b", "auto", named).spec.address == "socket://lab:3000"
    lab = find("d", "auto", named).spec
    assert (lab.text, lab.kind, lab.address, lab.options) == ("d", "labgrid", "desk", {"wait": "5"})
    with pytest.raises(HilError, match=r"hil-boards\.toml: \[boards\.c\]: lab is no port \(.*\); name a device file"):
        find("c", "auto", named)


@pytest.mark.parametrize("port", ["qemu:", "emulated"])
def test_an_emulator_is_no_board_of_the_file(tmp_path: Path, port: str) -> None:
    named = load_named_boards(write(tmp_path, f'[boards.a]\nport = "{port}"'))
    with pytest.raises(HilError, match=rf"hil-boards\.toml: \[boards\.a\]: port {port} is no real board;"):
        find("a", "auto", named)


def test_the_projects_file_comes_before_the_users(tmp_path: Path, home: Path) -> None:
    write(home, '[boards.desk]\nport = "/dev/a"\n[boards.lab]\nport = "/dev/a"')
    write(tmp_path, '[boards.desk]\nport = "/dev/b"')
    named = load_named_boards(tmp_path)
    assert {name: board.table.port for name, board in named.items()} == {"desk": "/dev/b", "lab": "/dev/a"}
    assert set(load_named_boards(None)) == {"desk", "lab"}


def test_a_relative_folder_of_configuration_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The XDG specification has it ignored."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", "here")
    monkeypatch.setenv("HOME", str(tmp_path))
    for folder in ("here", ".config"):
        (tmp_path / folder / "tflm-hil").mkdir(parents=True)
        write(tmp_path / folder / "tflm-hil", f'[boards.{folder.strip(".")}]\nport = "/dev/a"')
    assert list(load_named_boards(None)) == ["config"]


def test_a_user_without_a_home_has_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.setattr(Path, "home", nobody)
    assert load_named_boards(None) == {}


def test_auto_takes_the_connected_board_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A device may have a second port, which is not for us."""
    named = load_named_boards(write(tmp_path, '[boards.dk]\nserial_number = "0001"\ninterface = "1.2"'))
    connect(monkeypatch, usb_port("/dev/ttyACM0", "0001", "1-1:1.0"), usb_port("/dev/ttyACM1", "0001", "1-1:1.2"))
    assert find("auto", "auto", named).spec.text == "dk"
    with pytest.raises(HilError, match=r"several boards are connected; name one: /dev/ttyACM0 .*; /dev/ttyACM1 "):
        find("auto", "auto", {})


def test_auto_lists_boards_by_their_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = load_named_boards(write(tmp_path, '[boards.dk]\nserial_number = "0001"'))
    connect(monkeypatch, usb_port("/dev/ttyACM0", "0001"), usb_port("/dev/ttyACM1", "0002"))
    with pytest.raises(HilError) as caught:
        find("auto", "auto", named)
    assert str(caught.value) == (
        "board auto: several boards are connected; name one:"
        " dk: /dev/ttyACM0 (0483:374B, STM32 STLink, serial number 0001);"
        " /dev/ttyACM1 (0483:374B, STM32 STLink, serial number 0002)"
    )


def test_a_board_that_is_another_target_is_refused(tmp_path: Path) -> None:
    named = load_named_boards(write(tmp_path, '[boards.a]\nport = "/dev/null"\ntarget = "stm32f4"'))
    found = find("a", "auto", named)
    assert found.target == "stm32f4"
    with pytest.raises(HilError) as caught:
        found.check([TARGETS["nrf51"]])
    assert str(caught.value) == (
        f"board a is a stm32f4 ({tmp_path}/hil-boards.toml: [boards.a]), not nrf51:"
        " leave the target out, or choose another board"
    )


@pytest.mark.parametrize(
    ("text", "ports", "said"),
    [
        ('serial_number = "1"', [], "board a: no port with serial_number 1 is connected; on USB there are: none"),
        (
            'vid_pid = "0483:374B"\ninterface = "1.7"',
            [usb_port("/dev/x", "2", "1-1")],
            "board a: no port with vid_pid 0483:374B, interface 1.7 is connected; on USB there are: /dev/x (0483:374B,",
        ),
        (
            'vid_pid = "0483:374B"',
            [usb_port("/dev/x", "2"), usb_port("/dev/y", "3")],
            "board a: vid_pid 0483:374B applies to 2 ports: /dev/x (0483:374B, STM32 STLink, serial number 2); /dev/y ",
        ),
    ],
)
def test_a_board_that_is_not_there_or_not_the_only_one_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, ports: list[Any], said: str
) -> None:
    named = load_named_boards(write(tmp_path, f"[boards.a]\n{text}"))
    connect(monkeypatch, *ports)
    with pytest.raises(HilError) as caught:
        find("a", "auto", named)
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


def test_an_unknown_name_is_told_with_those_that_there_are(tmp_path: Path) -> None:
    named = load_named_boards(write(tmp_path, '[boards.desk-nucleo]\nport = "/dev/null"'))
    with pytest.raises(
        HilError, match=r"^unknown board desk-nuclo; choose emulated, auto, desk-nucleo, a port, labgrid:, qemu:, "
    ):
        find("desk-nuclo", "auto", named)
    with pytest.raises(HilError, match=r", or give it a name in hil-boards\.toml; serial ports here: none$"):
        find("desk-nuclo", "auto", {})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[boards.a]", "say which board it is: either by port, or by serial_number, vid_pid, location or interface"),
        ('[boards.a]\nport = "x"\nserial_number = "1"', "say which board it is: either by port, or by"),
        ('[boards.a]\nserial = "1"', "field `serial` - at `$.boards.a`; did you mean serial_number?"),
        ('[boards.a]\nmachine = "1"', "field `machine` - at `$.boards.a`; it belongs in [qemu] of a target file"),
        ('target = "stm32f4"', "unknown field `target`; it belongs in [boards.NAME] of hil-boards.toml"),
        ('[boards.auto]\nport = "x"', "[boards.auto]: auto has a meaning of its own; choose another name"),
        ('[boards.a]\nport = "x"\n[boards.b]\nport = 3', "got `int` - at `$.boards.b.port`"),
        ('[boards.a]\nport = "x"\n[boards."b/c"]\nport = "x"', "[A-Za-z0-9_-]*$' - at `$.boards.b/c`"),
        ('[boards.a]\nport = "x"\nrtt = "host:123456"', "at `$.boards.a.rtt`"),
        ('[boards.a]\nport = "x"\nrtt = "host:65536"', "rtt has no port between 1 and 65535"),
        ('[boards.a]\nvid_pid = "483:374B"', "- at `$.boards.a.vid_pid`; correct that key"),
        ('[boards.a]\nport = "x"\ndtr = "up"', "Invalid enum value 'up' - at `$.boards.a.dtr`; correct that key"),
        (
            '[boards.a]\nport = "x"\nreset = "dtr"\nreset_command = "y"',
            "reset and reset_command are two ways to reset a board; delete one of them",
        ),
        ('[boards.a]\nport = "x"\nreset = "command"', "Invalid enum value 'command' - at `$.boards.a.reset`"),
        ('[boards.a]\nport = "x"\nreset_command = "a \'b"', "reset_command is no command line (No closing quotation)"),
        ('[boards.a]\nport = "x"\npower = { off = " ", on = "a" }', "off is an empty command line"),
        ('[boards.a]\nport = "x"\noff = "a"', "it belongs in [boards.NAME.power] of hil-boards.toml"),
        ("[boards", "is not TOML"),
    ],
)
def test_a_wrong_file_is_one_line_that_names_the_key(tmp_path: Path, text: str, said: str) -> None:
    write(tmp_path, text)
    with pytest.raises(HilError) as caught:
        load_named_boards(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path / FILE}: ")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("make", [Path.mkdir, lambda file: file.symlink_to("gone")])
def test_what_is_there_but_cannot_be_read_is_told(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / FILE)
    with pytest.raises(HilError, match=r"hil-boards\.toml: cannot be read"):
        load_named_boards(tmp_path)


def test_what_the_page_shows_is_read() -> None:
    page = (Path(__file__).parents[2] / "docs" / "boards.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```toml\n(.*?)```", page, flags=re.DOTALL)
    files = [block for block in blocks if HEAD in block]
    for text in files:
        assert fit("here", FILE, tomllib.loads(text), BoardFile).boards
    assert len(files) == 2
    switches = [tomllib.loads(block)["boards"] for block in blocks if ".power]" in block]
    assert [msgspec.convert(boards["desk-nucleo"]["power"], PowerSwitch).off[:7] for boards in switches] == ["uhubctl"]


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1)
TABLES = st.fixed_dictionaries(
    {"serial_number": TEXT},
    optional={
        "vid_pid": st.from_regex(r"\A[0-9a-f]{4}:[0-9A-F]{4}\Z"),
        "location": st.from_regex(r"\A[0-9]{1,2}-[0-9](\.[0-9]){0,5}\Z"),
        "interface": st.from_regex(r"\A[0-9]\.[0-9]{1,2}\Z"),
        "target": TEXT,
        "baud": st.integers(1, 10_000_000),
        "dtr": st.sampled_from(["low", "high", "leave"]),
        "rts": st.sampled_from(["low", "high", "leave"]),
        "reset": st.sampled_from(["protocol", "break", "dtr", "probe", "none"]),
        "probe": TEXT,
    },
)


@settings(max_examples=50)
@given(boards=st.dictionaries(st.sampled_from(["a", "desk-nucleo", "Lab_2", "9"]), TABLES))
def test_what_is_written_is_read(boards: dict[str, dict[str, Any]]) -> None:
    text = HEAD + "".join(
        f"[boards.{name}]\n"
        + "".join(f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in table.items())
        for name, table in boards.items()
    )
    read = fit("here", FILE, tomllib.loads(text), BoardFile)
    assert {name: {key: getattr(table, key) for key in boards[name]} for name, table in read.boards.items()} == boards


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["port", "dtr", "boards"]), inner),
    max_leaves=8,
)


@given(boards=VALUES, other=st.dictionaries(st.text(), VALUES, max_size=1))
def test_whatever_a_file_says_it_is_read_or_refused_in_one_line(boards: object, other: dict[str, object]) -> None:
    said = "here: "
    try:
        fit("here", FILE, {**other, "schema": "hil-boards/1", "boards": boards}, BoardFile)
    except HilError as error:
        said = str(error)
    assert said.splitlines() == [said]
