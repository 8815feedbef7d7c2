"""Platform files of Renode, taken apart, so that two of them can be compared whatever their layout and names."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

MEASURED = Path(__file__).parent / "renode"
"""The platform files that Renode 1.16.1 has run our firmware on, each called after its target."""

STOCK: dict[str, dict[str, dict[str, int | str]]] = {"platforms/cpus/stm32f4.repl": {"cpu": {"cpuType": '"cortex-m4"'}}}
"""What Renode's own files say already of what ours say again."""


@dataclass
class Entry:
    """`where` is the model and the place of a new peripheral, or the name of one that is there."""

    where: str
    properties: dict[str, int | str] = field(default_factory=dict)
    interrupts: set[str] = field(default_factory=set)


@dataclass
class Platform:
    using: list[str]
    entries: dict[str, Entry]


def parse(text: str) -> Platform:
    """Return what a platform file says. Memory goes by its place, whatever it is called; numbers are numbers."""
    using, entries, entry = [], {}, None
    for line in text.splitlines():
        if used := re.fullmatch(r'using "(.*)"', line):
            using.append(used[1])
        elif head := re.fullmatch(r"(\w+):\s*(.*)", line):
            where = re.sub(r"0x[0-9A-Fa-f]+", lambda hexadecimal: str(int(hexadecimal[0], 16)), head[2])
            name = where if where.startswith("Memory.") else head[1]
            assert name not in entries, f"{name} twice"
            entry = entries[name] = Entry(where)
        elif (interrupt := re.fullmatch(r"    (\w* ?-> .*)", line)) and entry:
            entry.interrupts.add(interrupt[1].strip())
        elif (assigned := re.fullmatch(r"    (\w+): (.*)", line)) and entry:
            value = assigned[2]
            entry.properties[assigned[1]] = int(value, 0) if re.fullmatch(r"\d\w*", value) else value
        else:
            raise AssertionError(f"not understood: {line!r}")
    for name, properties in ((name, said) for file in using for name, said in STOCK[file].items()):
        entries[name].properties = properties | entries[name].properties
    return Platform(using, entries)
