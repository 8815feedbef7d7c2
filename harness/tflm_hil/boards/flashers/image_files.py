"""The content of an image's flash as the files that tools take: raw bytes, and Intel HEX."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from elftools.elf.elffile import ELFFile

from tflm_hil.errors import HilError
from tflm_hil.firmware.image import FirmwareImage

ERASED = b"\xff"
_RECORD_BYTES = 16
_PAGE = 1 << 16

# Types of records (Intel, "Hexadecimal Object File Format Specification", 1988).
_DATA, _END, _EXTENDED_LINEAR_ADDRESS = 0, 1, 4

Chunk = tuple[int, bytes]
"""An address and the bytes that lie there."""


def write_bin(image: FirmwareImage, folder: Path) -> tuple[Path, int]:
    """Write the raw content of the flash to a file in `folder`; return it, and the address of its first byte.

    Gaps are filled with what erased flash holds. Raises HilError where the image has no content, or the file cannot be
    written.
    """
    chunks = loaded(image)
    start = chunks[0][0]
    content = b""
    for address, data in chunks:
        content = content.ljust(address - start, ERASED) + data
    return _write(folder / "image.bin", content), start


def write_hex(image: FirmwareImage, folder: Path) -> Path:
    """Write the content of the flash in Intel HEX to a file in `folder`. Raises HilError as `write_bin` does."""
    return _write(folder / "image.hex", "".join(f"{record}\n" for record in records(loaded(image))).encode())


def loaded(image: FirmwareImage) -> list[Chunk]:
    """Return what the image has in flash, by address: the segments of its ELF file where they are loaded.

    Raises HilError where there is none.
    """
    try:
        with image.elf.open("rb") as stream:
            segments = [segment for segment in ELFFile(stream).iter_segments("PT_LOAD") if segment["p_filesz"]]
            chunks = sorted((int(segment["p_paddr"]), bytes(segment.data())) for segment in segments)
    except OSError as error:
        raise HilError(f"{image.elf}: cannot be read ({error.strerror}); build it again") from error
    if not chunks:
        raise HilError(f"{image.elf}: there is nothing in it to flash; build it again")
    return chunks


def records(chunks: list[Chunk]) -> Iterator[str]:
    """Return the lines of a file in Intel HEX."""
    page = 0
    for start, data in chunks:
        position = 0
        while position < len(data):
            address = start + position
            if address // _PAGE != page:
                page = address // _PAGE
                yield _record(0, _EXTENDED_LINEAR_ADDRESS, page.to_bytes(2, "big"))
            count = min(_RECORD_BYTES, _PAGE - address % _PAGE)
            yield _record(address % _PAGE, _DATA, data[position : position + count])
            position += count
    yield _record(0, _END, b"")


def _record(offset: int, kind: int, data: bytes) -> str:
    content = bytes([len(data), *offset.to_bytes(2, "big"), kind]) + data
    return f":{content.hex()}{-sum(content) & 0xFF:02x}".upper()


def _write(file: Path, content: bytes) -> Path:
    try:
        file.write_bytes(content)
    except OSError as error:
        raise HilError(f"cannot write {file}: {error.strerror}; free some space") from error
    return file
