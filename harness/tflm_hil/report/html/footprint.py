"""What an image is made of, as areas: a rectangle for each section, and in it one for each of its largest symbols."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

import squarify

from tflm_hil.results.groups import FirmwareFigures

WIDTH, HEIGHT = 480, 240
HEAD = 13
"""Height of the line with the name of a section."""
SMALLEST = 0.008
"""Share of the whole below which a rectangle could not be told from a line: those of a section become one."""


@dataclass(frozen=True)
class Area:
    """`bytes` of `name` at x, y, w and h. `label` is as much of the name as fits, "" if next to nothing does."""

    name: str
    bytes: int
    x: int
    y: int
    w: int
    h: int
    label: str


@dataclass(frozen=True)
class Section:
    """A section of the image, and its symbols; what no symbol accounts for, and what is too small, is one area."""

    area: Area
    symbols: list[Area]


@dataclass(frozen=True)
class Memory:
    """What lies in flash or in RAM (`name`): its sections, the largest first, side by side in WIDTH times HEIGHT."""

    name: str
    sections: list[Section]


def footprint(firmware: FirmwareFigures, most: int) -> list[Memory]:
    """Both memories, with the `most` largest symbols of each section.

    There is one memory with everything where a file does not tell what lies in flash.
    """
    in_flash = set(firmware.flash_sections)
    in_ram = firmware.sections.keys() - (in_flash - set(firmware.ram_sections))
    memories = {"Flash": in_flash, "RAM": in_ram} if in_flash else {"Flash and RAM": in_ram}
    drawn = [Memory(name, _sections(firmware, sections, most)) for name, sections in memories.items()]
    return [memory for memory in drawn if memory.sections]


def _sections(firmware: FirmwareFigures, names: Set[str], most: int) -> list[Section]:
    sizes = {name: size for name, size in firmware.sections.items() if name in names and size > 0}
    whole = sum(sizes.values())
    sections = []
    for section in _areas(_grouped(list(sizes.items()), whole, "other sections", most), 0, 0, WIDTH, HEIGHT):
        room = section.h - HEAD
        lying_here = (symbol for symbol in firmware.symbols if symbol.section == section.name)
        symbols = [(symbol.name, symbol.size) for symbol in lying_here if symbol.size > 0]
        named = sum(size for _, size in symbols)
        if named < section.bytes:
            symbols.append(("no symbol", section.bytes - named))
        inside = _grouped(symbols, whole, "smaller symbols", most) if len(symbols) > 1 and room > HEAD else []
        sections.append(Section(section, _areas(inside, section.x, section.y + HEAD, section.w, room)))
    return sections


def _grouped(parts: list[tuple[str, int]], whole: int, rest: str, most: int) -> list[tuple[str, int]]:
    """`parts`, the largest first, of which the small ones are added up as `rest`."""
    ordered = sorted(parts, key=lambda part: -part[1])
    shown = [part for part in ordered[:most] if part[1] >= SMALLEST * whole]
    left = sum(size for _, size in ordered[len(shown) :])
    return [*shown, *([(rest, left)] if left else [])]


def _areas(parts: list[tuple[str, int]], x: float, y: float, width: float, height: float) -> list[Area]:
    """The areas of `parts` in a rectangle, nearly square each. The algorithm wants the largest first."""
    parts = sorted(parts, key=lambda part: -part[1])
    sizes = squarify.normalize_sizes([size for _, size in parts], width, height)
    places = squarify.squarify(sizes, x, y, width, height)
    return [_area(name, size, place) for (name, size), place in zip(parts, places, strict=True)]


def _area(name: str, size: int, place: dict[str, float]) -> Area:
    x, y, w, h = (round(place[key]) for key in ("x", "y", "dx", "dy"))
    fitting = int((w - 6) / 5.6) if h >= HEAD else 0  # the average width of a letter
    label = name if len(name) <= fitting else f"{name[: fitting - 1]}…" if fitting > 3 else ""
    return Area(name, size, x, y, w, h, label)
