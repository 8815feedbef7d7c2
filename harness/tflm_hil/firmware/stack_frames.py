"""How much stack each function takes for itself, as the compiler wrote down for debuggers.

That is the table of call frames of DWARF (section 6.4; https://dwarfstd.org), which images have that were compiled with
`-g1` or more. What a function allocates in a variable amount (`alloca`) is not in it.
"""

from __future__ import annotations

from elftools.dwarf.callframe import FDE
from elftools.elf.elffile import ELFFile


def stack_frames(file: ELFFile) -> dict[int, int]:
    """Return the largest frame, in bytes, of the function at each address. Code without a table has none.

    Raises:
        ELFError, LookupError, ValueError: the table is damaged.
    """
    dwarf = file.get_dwarf_info(relocate_dwarf_sections=False)
    if not dwarf.has_CFI():
        return {}
    return {
        int(entry["initial_location"]): max(
            (int(row["cfa"].offset or 0) for row in entry.get_decoded().table), default=0
        )
        for entry in dwarf.CFI_entries()
        if isinstance(entry, FDE)
    }
