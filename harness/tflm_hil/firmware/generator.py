"""What a build needs of an engine: the part of the image that depends on the network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from tflm_hil.firmware.build_dir import BuildDir
from tflm_hil.firmware.image_kind import ImageKind
from tflm_hil.firmware.platformio import Watch
from tflm_hil.models.tflite_file import Graph
from tflm_hil.progress import Say, silent
from tflm_hil.targets import Target

Emulate = Callable[[Target, Path, str], int | None]
"""Runs an ELF file for a target to its end, with an argument; the exit status, None if it did not end in time."""


@dataclass(frozen=True)
class Job:
    """The image that sources are wanted for: those of the network `graph`, read from `tflite`, go to its `build_dir`.

    `emulate` is None if there is no emulator; `say` is told what takes its time.
    """

    tflite: Path
    graph: Graph
    kind: ImageKind
    build_dir: BuildDir
    emulate: Emulate | None = None
    say: Say = silent


@dataclass(frozen=True)
class Generated:
    """The sources of an image, with the bytes of the network's constants and of its arena.

    The build has the `settings` as environment variables of PlatformIO, and `watch` is told each line of its output.
    """

    sources: list[Path]
    constant_bytes: int
    arena_bytes: int
    settings: Mapping[str, str] = field(default_factory=dict)
    watch: Watch = silent


class Generator(Protocol):
    """Generates the part of an image that depends on the network."""

    @property
    def name(self) -> str:
        """What the user calls the engine; its environments and the folders of its images have it in their names."""

    @property
    def ini(self) -> str | None:
        """The options of its section of platformio.ini, e.g. `lib_deps = ...`; None if that has the section."""

    def generate(self, job: Job) -> Generated:
        """Write the sources of `job`. Raises HilError if the engine cannot run its network."""
