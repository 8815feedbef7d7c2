"""Images that exceed a target's memory, and the targets that have enough."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from tflm_hil.errors import HilError

# Regions of the linker scripts, and the keys of a board file that hold their sizes.
REGIONS = {"FLASH": "maximum_size", "RAM": "maximum_ram_size"}


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


def targets_with_room(root: Path, environments: list[str], environment: str, excess: dict[str, int]) -> list[str]:
    """The targets with as much memory as `environment` of the project at `root` would need, by their names.

    Only such as have an environment for the same engine. The nearest in size comes first.
    """
    boards = {path.stem: _memory(path) for path in (root / "firmware" / "platform" / "boards").glob("*.json")}
    target = max((name for name in boards if environment.startswith(f"{name}_")), key=len, default=None)
    if target is None:
        return []
    engine = environment.removeprefix(target)
    needed = {region: size + excess.get(region, 0) for region, size in boards[target].items()}
    fitting = [
        name
        for name, memory in boards.items()
        if name + engine in environments and all(memory[region] >= size for region, size in needed.items())
    ]
    return sorted(fitting, key=lambda name: (sum(boards[name].values()), name))


def _memory(board: Path) -> dict[str, int]:
    try:
        sizes = json.loads(board.read_text(encoding="utf-8"))["upload"]
        return {region: int(sizes[key]) for region, key in REGIONS.items()}
    except (OSError, ValueError, KeyError, TypeError) as error:
        keys = " and ".join(f"upload.{key}" for key in REGIONS.values())
        raise HilError(f"{board}: has no {keys} ({error}); correct it") from error
