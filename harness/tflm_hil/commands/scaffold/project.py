"""What a new project consists of, worked out from what the user named and from what is there already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tflm_hil.commands.scaffold import example, network, texts, tools
from tflm_hil.commands.scaffold.parts import Content, Parts
from tflm_hil.commands.scaffold.reading import load
from tflm_hil.configuration import FILE as CONFIGURATION
from tflm_hil.configuration import load_configuration
from tflm_hil.errors import HilError
from tflm_hil.firmware.build_dir import check_name
from tflm_hil.targets import find_targets, load_targets

SUITE = "tests/test_hil.py"


@dataclass(frozen=True)
class Wishes:
    """What the user named: a .tflite file, a folder of recordings, the chip to build for."""

    model: Path | None = None
    recordings: Path | None = None
    target: str | None = None


@dataclass(frozen=True)
class Project:
    """What is to be written to `root`: `files` by their paths in it.

    `about` says what the model is and how it is fed, `guesses` are to be looked at, and `left` says what was left alone
    and what to do about it.
    """

    root: Path
    files: Mapping[str, Content]
    about: str
    guesses: tuple[str, ...]
    left: list[str] = field(default_factory=list)


def plan(root: Path, wishes: Wishes) -> Project:
    """What makes a project of the folder `root`, whether it is there or not. Nothing is written.

    Raises:
        HilError: a file that was named cannot be read, the recordings do not fit the network, or the firmware cannot
            take it.
    """
    check_name(root.resolve())
    if wishes.target:
        find_targets(load_targets(load_configuration(root).targets), [wishes.target])
    parts = _parts(root, wishes)
    load(parts)
    files, left = tools.files(root)
    texts_of_project: dict[str, Content] = {
        CONFIGURATION: texts.project_toml(wishes.target),
        **parts.files,
        SUITE: texts.SUITE,
        **files,
    }
    return Project(root, texts_of_project, parts.about, parts.guesses, left)


def frame(root: Path) -> tuple[dict[Path, bytes], list[str]]:
    """What makes a project of the folder `root` beside models and recordings, without what is there already.

    Returns the files, and what to do about those of other tools that were left alone. Raises HilError for a folder that
    firmware cannot be built in.
    """
    check_name(root.resolve())
    files, left = tools.files(root)
    wanted: dict[str, Content] = {CONFIGURATION: texts.project_toml(None), SUITE: texts.SUITE, **files}
    missing = {root / name: content for name, content in wanted.items() if not (root / name).exists()}
    return {path: str(content).encode() for path, content in missing.items()}, left


def _parts(root: Path, wishes: Wishes) -> Parts:
    if wishes.model:
        return network.parts(root, wishes.model, wishes.recordings)
    if wishes.recordings:
        raise HilError("--recordings: nothing to feed with them; add --model with the network that takes them")
    return example.parts()
