"""The dialogue with Renode's monitor, whatever pieces it arrives in."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tflm_hil.boards.renode.monitor import Monitor, Transcript
from tflm_hil.errors import HilError

RECORDED = (Path(__file__).parents[1] / "support" / "renode" / "console.raw").read_bytes()
"""What Renode 1.16.1 wrote to the commands of DIALOGUE, byte for byte."""

DIALOGUE = [
    ("logFile @/run/renode.log", ""),
    ("include @/run/stm32f4.resc", "Starting emulation..."),
    ("cpu ExecutedInstructions", "0x00000000000013F2"),
    ("cpu ExecutedInstructions", "0x0000000000B35A3C"),
    ("pause", "Pausing emulation..."),
    ("machine Reset", ""),
    ("start", "Starting emulation..."),
    ("cpu IsHalted", "False"),
    ("nosuch", "No such command or device: nosuch"),
]


def pieces_to_the_prompts(data: bytes) -> list[bytes]:
    """Cut `data` behind each prompt: Renode waits there for the next command."""
    cut = data.replace(b"(stm32f4) ", b"(stm32f4) \0").replace(b"(monitor) ", b"(monitor) \0")
    return cut.split(b"\0")


@given(st.lists(st.integers(1, 30), min_size=1, max_size=20))
def test_the_recorded_dialogue_is_understood_in_any_pieces(sizes: list[int]) -> None:
    transcript, texts, prompts = Transcript("stm32f4"), [], []
    for turn in pieces_to_the_prompts(RECORDED):
        at, turns = 0, iter(sizes * len(turn))
        while at < len(turn):
            assert transcript.prompt is None
            size = next(turns)
            transcript.feed(turn[at : at + size])
            at += size
        prompts.append(transcript.prompt)
        texts.append(transcript.take())
    assert prompts == ["monitor"] * 2 + ["stm32f4"] * 8 + [None]
    assert texts[0] == "Renode, version 1.16.1 (1.16.1+20261126)"
    assert texts[1:-1] == [f"{command}\n{answer}".strip() for command, answer in DIALOGUE]
    assert texts[-1] == "quit\nRenode is quitting"


LINES = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FFF, exclude_characters="\x7f\x85"), max_size=20)
ENDS = st.sampled_from([b"\n\r", b"\r\n", b"\r\n\r", b"\r\r\n", b"\n"])


def wanted(lines: list[str]) -> str:
    return "\n".join(line for line in lines if line)


@given(
    st.lists(st.tuples(st.lists(LINES, max_size=4), st.lists(ENDS, min_size=5, max_size=5)), min_size=1, max_size=5),
    st.lists(st.integers(1, 40), min_size=1, max_size=10),
)
def test_any_answer_comes_back_whole(answers: list[tuple[list[str], list[bytes]]], sizes: list[int]) -> None:
    transcript = Transcript("m1")
    turns = iter(sizes * 10_000)
    for lines, ends in answers:
        text = b"".join(line.encode() + end for line, end in zip(lines, ends, strict=False))
        turn = text + b"(m1) "
        while turn:
            assert transcript.prompt is None
            size = next(turns)
            transcript.feed(turn[:size])
            turn = turn[size:]
        assert transcript.prompt == "m1"
        assert transcript.take() == wanted(lines)


def test_a_word_in_parentheses_is_no_prompt() -> None:
    transcript = Transcript("m1")
    for text in (b"(other) ", b"\r\n(m1)", b"\r\nat (m1) ", b"x\r\n(monitor) is"):
        transcript.feed(text)
        assert transcript.prompt is None


Answer = Callable[[bytes], bytes]


@pytest.fixture
def monitor(request: pytest.FixtureRequest) -> Iterator[Monitor]:
    """A monitor whose other side answers as the parameter says; b"" is the end."""
    answer: Answer = request.param
    to_read, to_write = os.pipe()
    of_read, of_write = os.pipe()

    def serve() -> None:
        with os.fdopen(to_read, "rb") as to, os.fdopen(of_write, "wb", 0) as of:
            for line in to:
                said = answer(line)
                if not said:
                    break
                of.write(said)

    server = threading.Thread(target=serve)
    server.start()
    monitor = Monitor(os.fdopen(to_write, "wb", 0), os.fdopen(of_read, "rb", 0), "m1")
    yield monitor
    monitor.close()
    monitor.close()
    server.join()


@pytest.mark.parametrize(
    "monitor",
    [lambda line: line.replace(b"\n", b"\n\r") + b"0x1\r\r\n(m1) ", lambda _: b"cpu  \rP\r\nC\n\r0x1\r\r\n(m1) "],
    indirect=True,
    ids=["plain", "broken-by-a-narrow-terminal"],
)
def test_an_answer_is_what_comes_after_the_echo(monitor: Monitor) -> None:
    assert monitor.execute("cpu PC", 10) == "0x1"


@pytest.mark.parametrize("monitor", [lambda _: b"\n\r0x1\r\r\n(m1) "], indirect=True)
def test_what_is_not_echoed_was_not_asked(monitor: Monitor) -> None:
    with pytest.raises(HilError, match=r"^Renode's monitor echoes '0x1' \(cpu PC\)$"):
        monitor.execute("cpu PC", 10)


@pytest.mark.parametrize("monitor", [lambda _: b"", lambda line: line], indirect=True, ids=["ends", "mute"])
def test_one_that_has_gone_or_is_mute_is_told(monitor: Monitor) -> None:
    with pytest.raises(HilError, match=r"^Renode's monitor(: no answer within 0.2 s| has gone) \(cpu PC\)$"):
        monitor.execute("cpu PC", 0.2)


@pytest.mark.parametrize("monitor", [lambda _: b""], indirect=True)
def test_one_that_was_closed_is_told(monitor: Monitor) -> None:
    monitor.close()
    with pytest.raises(HilError, match=r"^Renode's monitor has gone \(pause\)$"):
        monitor.execute("pause", 10)
