"""Which instructions QEMU executed.

QEMU translates code in blocks, each just before it is executed for the first time, and can write down what it
translates (`-d in_asm`, option `-D`). That costs nothing for code that was translated before, unlike a trace.
"""

from __future__ import annotations

import re
from pathlib import Path

_INSTRUCTION = re.compile(r"0x([0-9a-f]+):  [0-9a-f]", re.ASCII)


class Execution:
    """Has each QEMU write into a file of its own in `folder`; see ExecutionRecord of the boards' protocols."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._logs: list[tuple[Path, Path]] = []

    def record(self, folder: Path) -> None:
        """See ExecutionRecord."""
        self._folder = folder

    def options(self, elf: Path) -> list[str]:
        """Return the options of a QEMU that is about to be started with `elf`."""
        if self._folder is None:
            return []
        log = self._folder / f"executed-{len(self._logs)}.log"
        log.unlink(missing_ok=True)
        self._logs.append((elf, log))
        return ["-d", "in_asm", "-D", str(log)]

    def executed(self) -> dict[Path, set[int]]:
        """See ExecutionRecord. A QEMU that did not start has written nothing."""
        found: dict[Path, set[int]] = {}
        for elf, log in self._logs:
            if log.is_file():
                with log.open(encoding="ascii", errors="replace") as lines:
                    found.setdefault(elf, set()).update(
                        int(match[1], 16) for match in map(_INSTRUCTION.match, lines) if match
                    )
                log.unlink()
        self._logs.clear()
        return found
