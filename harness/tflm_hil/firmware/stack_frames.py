"""How much stack each function takes for itself, as the compiler wrote down for debuggers.

That is the table of call frames of DWARF (section 6.4; https://dwarfstd.org), which images have that were compiled with
`-g1` or more. What a function allocates in a variable amount (`alloca`) is not in it.
"""

from __future__ import annotations

from elftools.common.exceptions import DWARFError, ELFError
from elftools.dwarf.callframe import FDE
from elftools.elf.elffile import ELFFile

# What the library raises on tables that are damaged or that it does not know, its assertions among them.
_UNREADABLE = (
    *(DWARFError, ELFError, LookupError, ValueError, AssertionError, AttributeError, TypeError, ArithmeticError),
    *(RecursionError, OSError),
)
_LARGEST = 1 << 31
"""No frame is larger: what says so is damaged."""


def stack_frames(file: ELFFile) -> dict[int, int]:
    """Return the largest frame, in bytes, of the function at each address.

    Code without a table has none, and where the table of an image cannot be read, nothing has one.
    """
    try:
        dwarf = file.get_dwarf_info(relocate_dwarf_sections=False)
        entries = [entry for entry in dwarf.CFI_entries() if isinstance(entry, FDE)] if dwarf.has_CFI() else []
        frames = {int(entry["initial_location"]): _frame(entry) for entry in entries}
    except _UNREADABLE:
        return {}
    return {address: size for address, size in frames.items() if size < _LARGEST}


def _frame(entry: FDE) -> int:
    return max((int(row["cfa"].offset or 0) for row in entry.get_decoded().table), default=0)
