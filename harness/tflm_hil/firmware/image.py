"""A built firmware image: what it takes in flash and RAM, read from its ELF file."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import NoteSection, Section, SymbolTableSection

from tflm_hil.errors import HilError
from tflm_hil.firmware.build_dir import BuildDir
from tflm_hil.targets import Target

# Output sections of the linker scripts that are RAM, but not the program's own.
STACK = ".stack"
LINK_BUFFERS = ".link_buffers"

_ALLOC = 0x2  # SHF_ALLOC
_WRITE = 0x1  # SHF_WRITE
_KINDS = {"STT_FUNC": "function", "STT_OBJECT": "object"}


@dataclass(frozen=True)
class Symbol:
    """A function or an object, its address, its size in bytes and the section that it lies in."""

    name: str
    address: int
    section: str
    kind: str
    size: int


@dataclass(frozen=True)
class FirmwareImage:
    """One image. Sizes are in bytes.

    `flash_bytes` is everything that is written to flash, the initial values of variables included. `ram_total_bytes`
    is static RAM without the reserved stack, and `ram_bytes` that without the buffers of the link to the harness.
    `model_bytes` are the constants of the network, `arena_bytes` (part of `ram_bytes`) is where it computes, `sections`
    what lies in flash or RAM, `flash_sections` and `ram_sections` those that `flash_bytes` and `ram_bytes` are the sum
    of, `generated` the directory of the sources that were generated for it, and `target` what it is built for.
    `application` is where the environment of an application of the user's own built it.
    """

    target: Target
    elf: Path
    bin: Path
    build_id: bytes
    elf_sha256: str
    flash_bytes: int
    ram_bytes: int
    ram_total_bytes: int
    sections: dict[str, int]
    flash_sections: list[str]
    ram_sections: list[str]
    symbols: list[Symbol]
    model_bytes: int
    arena_bytes: int
    generated: Path
    application: BuildDir | None = None


NO_BUILD_ID = bytes(20)
"""What a device says that was linked without one."""


def read_application(elf: Path, target: Target) -> FirmwareImage:
    """Read the ELF file of an application of the user's own. What its network takes is not known.

    Where it has no build id, NO_BUILD_ID stands for it.

    Raises HilError where it cannot be read or is not an ELF file.
    """
    return read_image(elf, target, 0, 0, elf.parent, NO_BUILD_ID)


def read_image(
    elf: Path, target: Target, model_bytes: int, arena_bytes: int, generated: Path, without_id: bytes | None = None
) -> FirmwareImage:
    """Read the ELF file at `elf`, built for `target`, which has its .bin beside it.

    Raises HilError where it cannot be read, is not an ELF file or has no build id; the latter only if there is nothing
    that stands for it, `without_id`.
    """
    try:
        content = elf.read_bytes()
        with elf.open("rb") as stream:
            file = ELFFile(stream)
            sections = [section for section in file.iter_sections() if section["sh_flags"] & _ALLOC]
            build_id = build_id_in(sections, without_id)
            symbols = _symbols(file)
    except OSError as error:
        raise HilError(f"{elf}: cannot be read ({error.strerror}); build it again") from error
    except (ELFError, ValueError) as error:
        raise HilError(f"{elf}: not an image of this firmware ({error}); delete it and build again") from error
    sizes = {section.name: int(section["sh_size"]) for section in sections if section["sh_size"]}
    ram = {section.name for section in sections if section["sh_flags"] & _WRITE} - {STACK}
    flash = {section.name for section in sections if section["sh_type"] != "SHT_NOBITS"}
    ram_total = sum(size for name, size in sizes.items() if name in ram)
    return FirmwareImage(
        target=target,
        elf=elf,
        bin=elf.with_suffix(".bin"),
        build_id=build_id,
        elf_sha256=hashlib.sha256(content).hexdigest(),
        flash_bytes=sum(size for name, size in sizes.items() if name in flash),
        ram_bytes=ram_total - sizes.get(LINK_BUFFERS, 0),
        ram_total_bytes=ram_total,
        sections=sizes,
        flash_sections=[name for name in sizes if name in flash],
        ram_sections=[name for name in sizes if name in ram - {LINK_BUFFERS}],
        symbols=symbols,
        model_bytes=model_bytes,
        arena_bytes=arena_bytes,
        generated=generated,
    )


def build_id_in(sections: Iterable[Section], without_id: bytes | None = None) -> bytes:
    """Return the GNU build id in a note, else `without_id`. Raises ValueError if there is neither."""
    for section in sections:
        if isinstance(section, NoteSection):
            for note in section.iter_notes():
                if note["n_type"] == "NT_GNU_BUILD_ID":
                    return bytes.fromhex(note["n_desc"])
    if without_id is None:
        raise ValueError("no build id")
    return without_id


def _symbols(file: ELFFile) -> list[Symbol]:
    """Functions and objects, largest first."""
    table = file.get_section_by_name(".symtab")
    if not isinstance(table, SymbolTableSection):
        raise ValueError("no symbols")
    symbols = [
        Symbol(
            name=symbol.name,
            address=int(symbol["st_value"]),
            section=file.get_section(symbol["st_shndx"]).name,
            kind=_KINDS[symbol["st_info"]["type"]],
            size=int(symbol["st_size"]),
        )
        for symbol in table.iter_symbols()
        if symbol["st_info"]["type"] in _KINDS and symbol["st_size"] and isinstance(symbol["st_shndx"], int)
    ]
    return sorted(symbols, key=lambda symbol: (-symbol.size, symbol.name))
