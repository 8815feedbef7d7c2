"""What an ELF file says of the code in it, for whoever has to follow that code without running it."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from elftools.dwarf.callframe import FDE, RegisterRule
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import Section, SymbolTableSection

from tflm_hil.errors import HilError
from tflm_hil.firmware.backtrace.places import Place, places
from tflm_hil.firmware.image import NO_BUILD_ID, build_id_in

_ALLOC, _EXECUTABLE = 0x2, 0x4  # SHF_ALLOC, SHF_EXECINSTR
_THUMB = 1

T = TypeVar("T")


@dataclass(frozen=True)
class Rule:
    """How to leave a function at one of its instructions, by the numbers of DWARF for registers.

    The stack pointer was register `base` plus `offset` before the call. What register r was then is in memory at
    `saved[r]` beside that.
    """

    base: int
    offset: int
    saved: dict[int, int]


class Program:
    """The program in the ELF file `elf`, with as much debug information as it has, be that damaged or none.

    Raises HilError if the file cannot be read.
    """

    def __init__(self, elf: Path) -> None:
        try:
            self._file = ELFFile(io.BytesIO(elf.read_bytes()))
            self._content = [_content(section) for section in self._file.iter_sections() if _is_content(section)]
            self._code = [_content(section) for section in self._file.iter_sections() if _is_code(section)]
        except OSError as error:
            raise HilError(f"{elf}: cannot be read ({error.strerror}); build it again") from error
        except Exception as error:  # pyelftools raises whatever it stumbles over.
            raise HilError(f"{elf}: not an ELF file ({error}); name the program.elf that the board runs") from error

    @property
    def build_id(self) -> bytes:
        """Its GNU build id; NO_BUILD_ID if it has none."""
        return _known(lambda: build_id_in(self._file.iter_sections()), NO_BUILD_ID)

    def word(self, address: int) -> int | None:
        """Return the word that the program has at `address`, in flash; None if there is none."""
        return _read(self._content, address, 4)

    def is_code(self, address: int) -> bool:
        """Whether code of the program is at `address`."""
        return _read(self._code, address, 2) is not None

    def follows_call(self, address: int) -> bool:
        """Whether the instruction before `address` calls a function, so that `address` is what it returns to.

        ARMv7-M Architecture Reference Manual (DDI 0403E), A7.7.18 (BL) and A7.7.19 (BLX register).
        """
        before, last = _read(self._code, address - 4, 2), _read(self._code, address - 2, 2)
        if address & _THUMB or last is None:
            return False
        if last & 0xFF87 == 0x4780:
            return True
        return before is not None and before & 0xF800 == 0xF000 and last & 0xD000 == 0xD000

    def places(self, address: int) -> list[Place]:
        """Return where `address` is, innermost inlined function first; at least the function if a symbol covers it."""
        found: list[Place] | None = _known(lambda: places(self._dwarf, address), None)
        return found or [Place(name) for name in [self.function(address)] if name]

    def function(self, address: int) -> str:
        """Return the name of the symbol that covers `address`; "" if none does."""
        return next((name for start, end, name in self._functions if start <= address < end), "")

    def rule(self, address: int) -> Rule | None:
        """Return how to leave the function at the instruction at `address`; None if the file does not say."""
        return _known(lambda: self._rule(address), None)

    def _rule(self, address: int) -> Rule | None:
        for entry in self._frames:
            start = entry["initial_location"]
            # What the linker discarded is at 0, where the vectors are.
            if start and start <= address < start + entry["address_range"]:
                row = [row for row in entry.get_decoded().table if row["pc"] <= address][-1]
                saved = {number: rule.arg for number, rule in row.items() if _is_saved(rule)}
                return None if row["cfa"].reg is None else Rule(row["cfa"].reg, row["cfa"].offset, saved)
        return None

    @functools.cached_property
    def _dwarf(self) -> Any:
        return self._file.get_dwarf_info()

    @functools.cached_property
    def _frames(self) -> list[FDE]:
        return [entry for entry in self._dwarf.CFI_entries() if isinstance(entry, FDE)]

    @functools.cached_property
    def _functions(self) -> list[tuple[int, int, str]]:
        return _known(lambda: _functions(self._file.get_section_by_name(".symtab")), [])


def _read(contents: list[tuple[int, bytes]], address: int, count: int) -> int | None:
    for start, content in contents:
        if start <= address <= start + len(content) - count:
            return int.from_bytes(content[address - start : address - start + count], "little")
    return None


def _known(look: Callable[[], T], otherwise: T) -> T:
    """Return what `look` finds; `otherwise` where the file is damaged, for which pyelftools raises anything."""
    try:
        return look()
    except Exception:
        return otherwise


def _is_content(section: Section) -> bool:
    return bool(section["sh_flags"] & _ALLOC and section["sh_type"] != "SHT_NOBITS")


def _is_code(section: Section) -> bool:
    return bool(section["sh_flags"] & _ALLOC and section["sh_flags"] & _EXECUTABLE)


def _content(section: Section) -> tuple[int, bytes]:
    return section["sh_addr"], section.data()


def _functions(table: Section | None) -> list[tuple[int, int, str]]:
    """Return start, end and name of each function that has a symbol."""
    symbols = table.iter_symbols() if isinstance(table, SymbolTableSection) else ()
    return [
        (start, start + symbol["st_size"], symbol.name)
        for symbol in symbols
        if symbol["st_info"]["type"] == "STT_FUNC" and (start := symbol["st_value"] & ~_THUMB)
    ]


def _is_saved(rule: Any) -> bool:
    return isinstance(rule, RegisterRule) and rule.type == RegisterRule.OFFSET
