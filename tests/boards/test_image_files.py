"""Files of an image's flash, and what another reader of Intel HEX finds in them."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from intelhex import IntelHex
from support.tiny_elf import FLASH, PROGRAM, write_tiny_elf
from tflm_hil.boards.flashers.image_files import Chunk, loaded, records, write_bin, write_hex
from tflm_hil.errors import HilError

pieces = st.lists(st.tuples(st.integers(0, 0x3_0000), st.binary(max_size=300)), max_size=5)


@given(st.integers(0, 0xFFF0_0000), pieces)
@example(0xFFF8, [(0, bytes(range(64)))])  # A record would cross the border of a page.
def test_another_reader_finds_the_same_bytes_at_the_same_places(base: int, gaps: list[tuple[int, bytes]]) -> None:
    chunks: list[Chunk] = []
    at = base
    for gap, data in gaps:
        chunks.append((at + gap, data))
        at += gap + len(data)
    read = IntelHex(io.StringIO("\n".join(records(chunks))))
    assert read.todict() == {start + index: byte for start, data in chunks for index, byte in enumerate(data)}


def test_gaps_are_filled_with_what_erased_flash_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image: Any = SimpleNamespace(elf=write_tiny_elf(tmp_path / "a.elf"))
    assert loaded(image) == [(FLASH, PROGRAM)]
    monkeypatch.setattr("tflm_hil.boards.flashers.image_files.loaded", lambda _image: [(8, b"ab"), (13, b"c")])
    file, start = write_bin(image, tmp_path)
    assert (file.read_bytes(), start) == (b"ab\xff\xff\xffc", 8)


def test_an_image_that_is_gone_or_empty_is_told(tmp_path: Path) -> None:
    image: Any = SimpleNamespace(elf=tmp_path / "a.elf")
    with pytest.raises(HilError, match=r"a.elf: cannot be read \(No such file or directory\); build it again$"):
        write_hex(image, tmp_path)
    content = bytearray(write_tiny_elf(image.elf).read_bytes())
    content[52 + 16 : 52 + 20] = bytes(4)  # the size of the only segment
    image.elf.write_bytes(content)
    with pytest.raises(HilError, match=r"a.elf: there is nothing in it to flash; build it again$"):
        write_hex(image, tmp_path)
