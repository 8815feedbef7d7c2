"""Which lines of the sources an image has code of, and which of them were reached.

The line tables are those of DWARF (versions 2 to 5, section 6.2; https://dwarfstd.org).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile

from tflm_hil.errors import HilError
from tflm_hil.firmware.backtrace.places import source_file

Lines = dict[str, dict[int, bool]]
"""Of each file, by its path as the compiler knew it, the lines that have code, and whether any of it was executed."""


def reached(elf: Path, executed: Collection[int]) -> Lines:
    """Return the lines of all sources of `elf`; `executed` are the addresses of the instructions that were executed.

    A line of which only a part was executed counts as reached, and so does one that was inlined into several functions
    if it was executed in any of them.

    Raises HilError if the file cannot be read or has no line tables.
    """
    addresses = sorted(executed)
    lines: Lines = {}
    for file, line, start, end in _rows(elf):
        at = bisect_left(addresses, start)
        hit = at < len(addresses) and addresses[at] < end
        known = lines.setdefault(file, {})
        known[line] = known.get(line, False) or hit
    if not lines:
        raise HilError(f"{elf}: has no line tables, so nothing is known of its sources; compile with -g1 or -g")
    return lines


def merge(into: Lines, lines: Lines) -> None:
    """Add `lines` to `into`: a line is reached if either says so."""
    for file, found in lines.items():
        known = into.setdefault(file, {})
        for line, hit in found.items():
            known[line] = known.get(line, False) or hit


def _rows(elf: Path) -> Iterator[tuple[str, int, int, int]]:
    """Yield file, line, and the first address of its code and the one behind it."""
    try:
        with elf.open("rb") as stream:
            dwarf = ELFFile(stream).get_dwarf_info()
            for unit in dwarf.iter_CUs():
                yield from _unit_rows(unit, dwarf.line_program_for_CU(unit))
    except OSError as error:
        raise HilError(f"{elf}: cannot be read ({error.strerror}); build it again") from error
    except (ELFError, LookupError, ValueError, AttributeError) as error:
        raise HilError(f"{elf}: its line tables cannot be read ({error!r}); build it again") from error


def _unit_rows(unit: Any, program: Any) -> Iterator[tuple[str, int, int, int]]:
    if program is None:
        return
    first = None
    for state, following in pairwise([entry.state for entry in program.get_entries() if entry.state is not None]):
        if first is None:
            first = state.address
        # What the linker discarded is at 0, where the vectors are.
        if not state.end_sequence and first and state.line and following.address > state.address:
            yield source_file(unit, program, state.file), state.line, state.address, following.address
        if state.end_sequence:
            first = None
