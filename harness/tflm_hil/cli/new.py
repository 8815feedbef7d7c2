"""`hil new`: a project of one's own, in a folder of its own."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from tflm_hil.commands.scaffold.project import Project, Wishes, plan
from tflm_hil.commands.scaffold.writing import write
from tflm_hil.errors import HilError

ModelFile = Annotated[
    Path | None, typer.Option("--model", metavar="FILE.tflite", help="the network (default: a small example)")
]
RecordingsFolder = Annotated[
    Path | None,
    typer.Option(
        "--recordings",
        metavar="FOLDER",
        help="what it is fed with: a folder with a recordings.toml, or with CSV or Edge Impulse files",
    ),
]
TargetName = Annotated[str | None, typer.Option("--target", help="the chip to build for (default: stm32f4)")]


def new(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="the folder to make")],
    model: ModelFile = None,
    recordings: RecordingsFolder = None,
    target: TargetName = None,
) -> None:
    """Make a folder with a project: one model, one set of recordings, the suite. What can be found out is not asked.

    Examples: hil new demo

    hil new demo --model my_int8.tflite --recordings my_recordings/
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise HilError(f"{folder}: is there already; name another, or run `hil init` in it")
    project = plan(folder, Wishes(model, recordings, target))
    write(folder, project.files)
    tell(project, [f"cd {shlex.quote(str(folder))}"])


def tell(project: Project, first: list[str]) -> None:
    """Say what was written, what in it is a guess, and what to type next: `first`, and then the tests."""
    print(*(project.root / name for name in project.files), sep="\n")
    print(f"\n{project.about}")
    for guess in project.guesses:
        print(f"a guess, so have a look: {guess}")
    print(*project.left, sep="\n", end="\n" if project.left else "")
    print("\nnext:", *first, "pytest --board=emulated", sep="\n    ")
