"""The chips that firmware is built for, and how each is emulated: one file a target, here and in a project."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from tflm_hil.errors import HilError
from tflm_hil.targets.emulation import Peripheral, Qemu, Renode
from tflm_hil.targets.target import ALL, FLASH, RAM, Sensor, Target, core_order, read_target

__all__ = [
    "ALL",
    "FLASH",
    "RAM",
    "Peripheral",
    "Qemu",
    "Renode",
    "Sensor",
    "Target",
    "core_order",
    "find_targets",
    "load_targets",
]

_OURS = Path(__file__).parent


def load_targets(folder: Path | None = None) -> dict[str, Target]:
    """Read our targets, and those in the `folder` of a project, by name: smaller cores first, then smaller memories.

    Raises:
        HilError: a file is wrong, or a target of the project has the name of one of ours.
    """
    targets = {file.stem: read_target(file) for file in _OURS.glob("*.toml")}
    for file in sorted(folder.glob("*.toml")) if folder is not None else ():
        if file.stem in targets:
            raise HilError(f"{file}: tflm-hil has a target {file.stem} already; rename the file")
        targets[file.stem] = read_target(file)
    return {target.name: target for target in sorted(targets.values(), key=lambda target: target.rank)}


def find_targets(
    known: Mapping[str, Target], names: Sequence[str], emulators: Collection[str] = ("qemu",)
) -> tuple[Target, ...]:
    """Return the targets `names`, each once; `all` is every one that our firmware is built for and `emulators` emulate.

    Raises HilError that lists `known` if there is no such target.
    """
    every = [target.name for target in known.values() if target.build and target.emulators.issuperset(emulators)]
    expanded = [name for given in names for name in (every if given == ALL else [given])]
    for name in expanded:
        if name not in known:
            raise HilError(f"unknown target {name}; choose {', '.join(known)} or {ALL}")
    return tuple(known[name] for name in dict.fromkeys(expanded))
