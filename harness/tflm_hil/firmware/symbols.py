"""What an image consists of: its functions and objects, where they come from and what they take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile

from tflm_hil.errors import HilError
from tflm_hil.firmware.build_dir import OBJECTS
from tflm_hil.firmware.demangle import demangle
from tflm_hil.firmware.image import FirmwareImage, Symbol
from tflm_hil.firmware.link_map import read_map
from tflm_hil.firmware.stack_frames import stack_frames

_THUMB = 1


@dataclass(frozen=True)
class PlacedSymbol:
    """A function or an object: its demangled name, section and size in bytes.

    `origin` is the object, or the archive and its member, that it was linked from, "" if that is not known. `frame` is
    the stack in bytes that a function takes at most for itself, None if that is not known.
    """

    name: str
    section: str
    size: int
    origin: str
    frame: int | None


def placed_symbols(image: FirmwareImage) -> list[PlacedSymbol]:
    """Return the symbols of `image`, the largest first.

    Bytes that several names stand for count once, with the name for the most of them.

    Raises:
        HilError: the ELF file cannot be read.
    """
    try:
        with image.elf.open("rb") as stream:
            file = ELFFile(stream)
            places = {
                section.name: (int(section["sh_addr"]), int(section["sh_size"]))
                for section in file.iter_sections()
                if section.name in image.sections
            }
            frames = stack_frames(file)
    except OSError as error:
        raise HilError(f"{image.elf}: cannot be read ({error.strerror}); build it again") from error
    except (ELFError, ValueError) as error:
        raise HilError(f"{image.elf}: not an image of this firmware ({error}); delete it and build again") from error
    build_root = image.generated.parent.parent.parent
    linked = read_map(image.elf, places, build_root / OBJECTS)
    symbols = _apart(image.symbols)
    return [
        PlacedSymbol(
            name,
            symbol.section,
            symbol.size,
            linked.origin(symbol.address & ~_THUMB),
            frames.get(symbol.address & ~_THUMB) if symbol.kind == "function" else None,
        )
        for name, symbol in zip(demangle([symbol.name for symbol in symbols]), symbols, strict=True)
    ]


def _apart(symbols: Sequence[Symbol]) -> list[Symbol]:
    """`symbols` without those that lie within another one: other names for it, or entries in the middle of it."""
    inside: set[int] = set()
    ends: dict[str, int] = {}
    for symbol in sorted(symbols, key=lambda symbol: (symbol.address & ~_THUMB, -symbol.size, symbol.name)):
        end = (symbol.address & ~_THUMB) + symbol.size
        if end <= ends.get(symbol.section, 0):
            inside.add(id(symbol))
        else:
            ends[symbol.section] = end
    return [symbol for symbol in symbols if id(symbol) not in inside]
