"""Images that exceed a target's memory, and the targets that have enough."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from tflm_hil.errors import HilError
from tflm_hil.targets import Target


class TooLargeError(HilError):
    """What exceeds regions of its target's memory by `excess` bytes each, or more; `what` and `log` say so.

    `ways` are those out of it, the most general one first.
    """

    def __init__(
        self,
        what: str,
        excess: dict[str, int],
        log: Path | None = None,
        ways: Sequence[str] = ("a smaller model", "a larger target"),
    ) -> None:
        super().__init__(f"{what}; use {' or '.join(ways)}" + (f"; see {log}" if log else ""))
        self.what = what
        self.excess = excess
        self.log = log
        self.ways = tuple(ways)

    def instead(self, ways: Sequence[str]) -> TooLargeError:
        """The same with other `ways`."""
        return TooLargeError(self.what, self.excess, self.log, ways)


def targets_with_room(targets: Iterable[Target], target: Target, excess: Mapping[str, int]) -> list[Target]:
    """Those of `targets` with as much memory as an image needs that exceeds the regions of `target` by `excess` bytes.

    The nearest in size comes first.
    """
    needed = {name: region.bytes + excess.get(name.upper(), 0) for name, region in target.memory.items()}
    fitting = [
        other
        for other in targets
        if other.build
        and all(name in other.memory and other.memory[name].bytes >= size for name, size in needed.items())
    ]
    return sorted(fitting, key=lambda other: (sum(region.bytes for region in other.memory.values()), other.name))
