"""What --board says, taken apart: kinds of our own and of others, ports, URLs, and whatever is neither."""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tflm_hil.boards.spec import SERIAL, BoardSpec, parse, split
from tflm_hil.errors import HilError

BY_PATH = "/dev/serial/by-path/pci-0000:00:14.0-usb-0:2:1.0"
KINDS = ("qemu", "serial", "labqemu", "BigBench")


@pytest.mark.parametrize(
    ("text", "kind", "address", "options"),
    [
        ("emulated", "emulated", "", {}),
        ("qemu:", "qemu", "", {}),
        ("QEMU:", "qemu", "", {}),
        ("labqemu:desk 1?speed=fast&quiet=", "labqemu", "desk 1", {"speed": "fast", "quiet": ""}),
        ("labqemu://host/place", "labqemu", "//host/place", {}),
        ("labqemu:a:b", "labqemu", "a:b", {}),
        ("bigbench:1", "BigBench", "1", {}),
        ("serial:/dev/ttyACM0", SERIAL, "/dev/ttyACM0", {}),
        ("/dev/ttyACM0", SERIAL, "/dev/ttyACM0", {}),
        (
            "/dev/serial/by-path/pci-0000:00:14.0-usb-0:2:1.0",
            SERIAL,
            "/dev/serial/by-path/pci-0000:00:14.0-usb-0:2:1.0",
            {},
        ),
        ("./ttyACM0", SERIAL, "./ttyACM0", {}),
        ("COM3", SERIAL, "COM3", {}),
        ("com12", SERIAL, "com12", {}),
        ("socket://lab:3000", SERIAL, "socket://lab:3000", {}),
        ("rfc2217://lab:2217?ign_set_control", SERIAL, "rfc2217://lab:2217?ign_set_control", {}),
        ("spy:///dev/ttyACM0?file=x", SERIAL, "spy:///dev/ttyACM0?file=x", {}),
        ("hwgrep://0483:374B", SERIAL, "hwgrep://0483:374B", {}),
    ],
)
def test_a_board_is_a_kind_an_address_and_options(text: str, kind: str, address: str, options: dict[str, str]) -> None:
    name = text.partition("?")[0] if options else text
    assert parse(text, KINDS) == BoardSpec(name, kind, address, options)


def test_a_kind_of_an_extension_comes_before_a_url_of_pyserial() -> None:
    assert parse("loop://", ["loop"]) == BoardSpec("loop://", "loop", "//")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("renode:", "board renode:: unknown kind renode; choose "),
        ("labgrid:place", "board labgrid:place: unknown kind labgrid; choose "),
        ("replay:file.hil", "board replay:file.hil: unknown kind replay; choose "),
        ("telnet://lab", "board telnet://lab: unknown kind telnet; choose "),
        ("socket:lab", "board socket:lab: unknown kind socket; choose "),
        ("ttyACM0", "unknown board ttyACM0; choose "),
        ("COM", "unknown board COM; choose "),
        (":x", "unknown board :x; choose "),
    ],
)
def test_what_there_is_not_is_one_line_with_what_there_is(text: str, said: str) -> None:
    with pytest.raises(HilError, match=f"^{re.escape(said)}") as raised:
        parse(text, KINDS)
    assert "emulated, auto, a port, qemu:, serial:, labqemu:, BigBench:, alt://" in str(raised.value)
    assert "\n" not in str(raised.value)


@given(text=st.text())
def test_any_text_is_a_board_or_an_error(text: str) -> None:
    with contextlib.suppress(HilError):
        assert text.startswith(parse(text, KINDS).text)


NAMES = st.one_of(
    st.sampled_from(["emulated", "auto", "desk-nucleo", "/dev/ttyACM0", "COM3", "socket://lab:3000"]),
    st.sampled_from(["rfc2217://lab:1?ign_set_control&timeout=3", "spy:///dev/ttyACM0?file=log", "/dev/a=b"]),
    st.sampled_from(["labgrid:kind=nucleo,site=x", "labgrid:desk?wait=3", "own:a=1,b=2/c,d=e:f"]),
)


@given(st.lists(NAMES, min_size=1))
def test_boards_separated_by_commas_are_told_apart(names: list[str]) -> None:
    assert split(",".join(names)) == names
    assert split(" , ".join(names)) == names


@pytest.mark.parametrize("text", ["", " "])
@pytest.mark.parametrize("read", [split, lambda text: parse(text, KINDS)])
def test_an_empty_name_is_no_board(read: Callable[[str], object], text: str) -> None:
    with pytest.raises(HilError, match=r"^no board is named; name emulated, a port, or one of those that `hil boards`"):
        read(text)


def test_a_url_that_needs_what_is_not_installed_is_not_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hid", None)
    with pytest.raises(HilError, match=r", alt://, hwgrep://"):
        parse("x", KINDS)


@pytest.mark.parametrize("text", [",", "/dev/ttyACM0,", ",emulated", "a,,b"])
def test_nothing_between_commas_is_no_board(text: str) -> None:
    with pytest.raises(HilError, match="nothing on one side of a comma"):
        split(text)
