"""What a run was asked for, whoever asked."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from tflm_hil.boards.spec import AUTO
from tflm_hil.results.thresholds import Limit

DEFAULT_TARGET = "stm32f4"
"""The chip to build for if neither the user nor the project names one."""


class Flash(StrEnum):
    """When a board is flashed: `auto` if it does not run the very image that was built, as far as it can tell."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True)
class Options:
    """What the user asked for. Paths are absolute. `boards` share the work; without any, there is nothing but building.

    Without `targets` it is that of the board, or of the project. With `history`, what is measured is kept in the
    project's. `run` is the name of a run in several processes. With `strict`, a missing or stale baseline fails. The
    limits of manifests win over `limits_below`, and `limits_above` win over those.
    """

    root: Path
    boards: tuple[str, ...]
    emulator: str
    targets: tuple[str, ...]
    engine: str
    models: tuple[str, ...]
    report_dir: Path
    baseline_dir: Path | None
    update_baseline: bool
    flash: Flash
    trace: bool
    coverage: bool
    profile: bool = False
    link: str = AUTO
    traffic_dir: Path | None = None
    history: bool = False
    run: str = ""
    strict: bool = False
    limits_below: tuple[Limit, ...] = ()
    limits_above: tuple[Limit, ...] = ()
