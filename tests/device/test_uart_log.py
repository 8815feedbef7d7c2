"""The UART log, to be read when a device misbehaves."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.device_helpers import FakeClock, bench
from tflm_hil.device.framing import Corrupt, Frame
from tflm_hil.device.uart_log import UartLog, ending
from tflm_hil.errors import HilError


def test_a_session_can_be_read(tmp_path: Path) -> None:
    b = bench(tmp_path)
    b.client.hello()
    b.clock.now = 1.5
    b.client.status()
    lines = b.log.path.read_text().splitlines()
    assert lines[0].startswith("    0.0000 -- log begins 20")
    assert lines[1].startswith("    0.0000 -> #0     HELLO     5 bytes  01 ")
    assert lines[2].startswith("    0.0000 <- #0     HELLO   ")
    assert lines[3:] == [
        "    1.5000 -> #1     STATUS    0 bytes",
        "    1.5000 <- #1     STATUS   24 bytes  00 02 00 00 00 10 00 00 00 00 00 00 00 00 00 00 ...",
    ]
    assert b.log.tail(2) == lines[-2:]


def test_stray_text_is_shown_as_text_and_binary_garbage_as_bytes(tmp_path: Path) -> None:
    with UartLog(tmp_path / "new" / "uart.log", FakeClock()) as log:
        log.received(Corrupt("bad COBS", b"panic: stack smashed\r\n"))
        log.received(Corrupt("bad COBS", b"\xff" * 200))
        log.received(Frame(0xF2, 0, "größe".encode()))
    assert [line.split(" ", 1)[1] for line in map(str.strip, log.tail(3))] == [
        "<- bad COBS: 22 bytes  'panic: stack smashed\\r\\n'",
        "<- bad COBS: 200 bytes  ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff ...",
        "<- #0     LOG       7 bytes  'größe'",
    ]


def test_no_line_is_long_and_the_tail_is_bounded(tmp_path: Path) -> None:
    log = UartLog(tmp_path / "uart.log")
    for _ in range(500):
        log.received(Frame(3, 1, b"x" * 10_000))
    assert len(log.tail(1000)) == 200
    assert max(map(len, log.tail())) < 150


def test_the_ending_for_results_has_whole_lines_that_are_safe_to_show() -> None:
    lines = [f"{number} {'x' * 100}" for number in range(100)]
    shown = ending([*lines, "\x1b[2J\x00 end"])
    assert shown.splitlines()[-1] == "?[2J? end"
    assert 3_800 < len(shown) <= 4_000
    assert set(shown.splitlines()[:-1]) < set(lines)
    assert ending(["x" * 10_000]) == ending([]) == ""


@pytest.mark.parametrize("target", ["/dev/full", "/proc/uart.log"])
def test_a_log_that_cannot_be_written_is_one_line_with_a_remedy(target: str) -> None:
    with pytest.raises(HilError, match=rf"^{target}: cannot write the UART log: .*; choose another folder"):
        UartLog(Path(target))
