"""Where an address is in the sources: function, file and line, inlined functions included.

DWARF Debugging Information Format, versions 2 to 5; https://dwarfstd.org.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from elftools.dwarf.descriptions import describe_form_class
from elftools.dwarf.ranges import BaseAddressEntry

_REFERENCES = ("DW_AT_abstract_origin", "DW_AT_specification")
_MOST_REFERENCES = 8
_FUNCTIONS = ("DW_TAG_subprogram", "DW_TAG_inlined_subroutine")


@dataclass(frozen=True)
class Place:
    """A line of a function. `file` is "" and `line` 0 where they are not known."""

    function: str
    file: str = ""
    line: int = 0


def places(dwarf: Any, address: int) -> list[Place]:
    """Return where `address` is: innermost inlined function first, the function that was really called last.

    `dwarf` is a DWARFInfo of pyelftools. Empty if it says nothing of this address.
    """
    unit = _unit(dwarf, address)
    if unit is None:
        return []
    functions = list(_functions(dwarf, unit, unit.get_top_DIE(), address))
    file, line = _line(dwarf, unit, address)
    found = []
    for function in reversed(functions):
        found.append(Place(_name(function), file, line))
        file, line = _called_from(dwarf, unit, function)
    return found


def _unit(dwarf: Any, address: int) -> Any:
    aranges = dwarf.get_aranges()
    if aranges is not None:
        offset = aranges.cu_offset_at_addr(address)
        return None if offset is None else dwarf.get_CU_at(offset)
    return next((unit for unit in dwarf.iter_CUs() if _holds(dwarf, unit, unit.get_top_DIE(), address)), None)


def _functions(dwarf: Any, unit: Any, entry: Any, address: int) -> Iterator[Any]:
    """Yield the functions around `address`, outermost first."""
    for child in entry.iter_children():
        if child.tag == "DW_TAG_namespace" or _holds(dwarf, unit, child, address):
            if child.tag in _FUNCTIONS:
                yield child
            yield from _functions(dwarf, unit, child, address)


def _holds(dwarf: Any, unit: Any, entry: Any, address: int) -> bool:
    low, high, ranges = (entry.attributes.get(f"DW_AT_{name}") for name in ("low_pc", "high_pc", "ranges"))
    if ranges is not None:
        return _in_ranges(dwarf, unit, ranges.value, address)
    if low is None or high is None or not low.value:  # What the linker discarded is at 0, where the vectors are.
        return False
    end = high.value if describe_form_class(high.form) == "address" else low.value + high.value
    return bool(low.value <= address < end)


def _in_ranges(dwarf: Any, unit: Any, offset: int, address: int) -> bool:
    top = unit.get_top_DIE().attributes.get("DW_AT_low_pc")
    base = 0 if top is None else top.value
    for entry in dwarf.range_lists().get_range_list_at_offset(offset, unit):
        if isinstance(entry, BaseAddressEntry):
            base = entry.base_address
        else:
            start = 0 if entry.is_absolute else base
            if start + entry.begin_offset <= address < start + entry.end_offset:
                return True
    return False


def _name(entry: Any) -> str:
    for _ in range(_MOST_REFERENCES):
        if "DW_AT_name" in entry.attributes:
            return str(entry.attributes["DW_AT_name"].value.decode(errors="replace"))
        reference = next((name for name in _REFERENCES if name in entry.attributes), None)
        if reference is None:
            break
        entry = entry.get_DIE_from_attribute(reference)
    return "?"


def _line(dwarf: Any, unit: Any, address: int) -> tuple[str, int]:
    program = dwarf.line_program_for_CU(unit)
    states = [entry.state for entry in program.get_entries() if entry.state is not None] if program else []
    for state, following in pairwise(states):
        if not state.end_sequence and state.address <= address < following.address:
            return source_file(unit, program, state.file), int(state.line)
    return "", 0


def _called_from(dwarf: Any, unit: Any, entry: Any) -> tuple[str, int]:
    file, line = (entry.attributes.get(f"DW_AT_call_{name}") for name in ("file", "line"))
    program = dwarf.line_program_for_CU(unit)
    if file is None or line is None or program is None:
        return "", 0
    return source_file(unit, program, file.value), int(line.value)


def source_file(unit: Any, program: Any, number: int) -> str:
    """Return the path of a file of the unit: as the compiler knew it, relative where the build made it so."""
    version = program.header.version
    entry = program.header.file_entry[number if version >= 5 else number - 1]
    folders = [name.decode(errors="replace") for name in program.header.include_directory]
    compiled_in = unit.get_top_DIE().attributes.get("DW_AT_comp_dir")
    base = "" if compiled_in is None else compiled_in.value.decode(errors="replace")
    folder = folders[entry.dir_index] if version >= 5 else (["", *folders])[entry.dir_index]
    return posixpath.normpath(posixpath.join(base, folder, entry.name.decode(errors="replace")))
