"""Which object each byte of an image was linked from, as the linker's map file says.

The format is that of GNU ld (`-Map`, https://sourceware.org/binutils/docs/ld). Maps of other linkers say nothing here.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from pathlib import Path

_BEGIN = "Linker script and memory map"
# ` .text.f  0x08000000  0x10 f.o`, or an output section without a file. A long name is alone on the line before.
_ENTRY = re.compile(r"^( ?)(\S*)\s+0x([0-9a-f]+)\s+0x([0-9a-f]+)(?: (?!load address)(.+))?$")
_MEMBER = re.compile(r"([^/\\]+\.a\([^()]+\))$")
# What link-time optimization leaves to the linker has no object of its own, but one with a name made up for each link.
_MADE_UP = re.compile(r"\.ltrans\d*\.|^(?:.*/)?cc\w{6}\.o$")
# Within the folder of objects that images share, that of the environment or of the flags; and PlatformIO's folder of a
# library, whose name depends on where the project lies.
_SHARED = re.compile(r"^(?:tflm/[^/]+|[^/]+)/")
_LIBRARY = re.compile(r"^lib[0-9a-f]{3}/")


class LinkMap:
    """The origins of addresses. An empty one knows none."""

    def __init__(self, entries: Sequence[tuple[int, int, str]] = ()) -> None:
        """`entries` are addresses, sizes and origins."""
        self._entries = sorted(entries)
        self._starts = [start for start, _, _ in self._entries]

    def origin(self, address: int) -> str:
        """Return the object, or the archive and its member, that is at `address`; "" if that is not known."""
        at = bisect_right(self._starts, address) - 1
        if at < 0:
            return ""
        start, size, origin = self._entries[at]
        return origin if address < start + size else ""


def read_map(elf: Path, sections: Mapping[str, tuple[int, int]], shared: Path) -> LinkMap:
    """Read the map beside `elf`, whose `sections` have these addresses and sizes.

    Objects are named as they lie in the folder of `elf`, or in `shared`, where several images have theirs. A map that
    is missing, or that is of another image, knows nothing.
    """
    for path in (elf.with_suffix(".map"), elf.with_name(f"{elf.name}.map")):
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        return parse(text, sections, elf.parent, shared)
    return LinkMap()


def parse(text: str, sections: Mapping[str, tuple[int, int]], folder: Path, shared: Path) -> LinkMap:
    """Read the `text` of a map; see `read_map`."""
    entries = []
    found: dict[str, tuple[int, int]] = {}
    for line in text.partition(_BEGIN)[2].splitlines():
        entry = _ENTRY.match(line)
        if entry is None or entry[2] == "*fill*":
            continue
        start, size = int(entry[3], 16), int(entry[4], 16)
        if not entry[1]:
            found.setdefault(entry[2], (start, size))
        elif entry[5] and size:
            entries.append((start, size, origin_name(entry[5].strip(), folder, shared)))
    if any(found[name] != place for name, place in sections.items() if name in found):
        return LinkMap()
    return LinkMap(entries)


def origin_name(path: str, folder: Path, shared: Path) -> str:
    """Return what the object at `path` is called wherever the project lies; "" if its name changes with each link.

    `path` is what the linker was told, maybe relative to a folder that only the linker knows.
    """
    if member := _MEMBER.search(path):
        return member[1]
    if _MADE_UP.search(path):
        return ""
    parts = Path(path).parts
    if (inside := _inside(parts, folder)) is not None:
        return _LIBRARY.sub("", inside)
    if (inside := _inside(parts, shared)) is not None:
        return _SHARED.sub("", inside)
    return path if not Path(path).is_absolute() else Path(path).name


def _inside(parts: Sequence[str], folder: Path) -> str | None:
    """`parts` of a path without `folder`, of which a relative path has only the end."""
    for length in range(min(len(parts) - 1, len(folder.parts)), 0, -1):
        if tuple(parts[:length]) == folder.parts[-length:]:
            return "/".join(parts[length:])
    return None
