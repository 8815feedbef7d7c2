"""`hil export`: a network as C for programs of your own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tflm_hil.cli.arguments import VariantName
from tflm_hil.cli.working import find_network
from tflm_hil.commands.export.export import export as use_case
from tflm_hil.commands.export.export import library_prefix


def export(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="a .tflite file, or a folder in models/")],
    variant: VariantName = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="the folder to write (default: build/MODEL_VARIANT)")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="replace a folder that is not an earlier export; it is kept as DIR.old")
    ] = False,
) -> None:
    """Write a network as C that needs nothing of the harness: as an array, and as a library with its own kernels.

    The library takes rows of the sensor and gives labels. Its answers are those of the tested firmware. A file needs no
    project around it.

    Example: hil export gesture --variant int8 --out build/gesture

    Example: hil export your.tflite --out firmware/lib/network
    """
    found, chosen = find_network(model, variant)
    exported = use_case(found, chosen, out or Path("build", library_prefix(found, chosen)), force)
    if exported.kept:
        print(f"what was there before is in {exported.kept}")
    for path in sorted(exported.folder.iterdir()):
        if path.is_dir():
            print(f"{path}: {', '.join(sorted(file.name for file in path.iterdir()))}")
    print(f"{exported.folder / 'README.md'}: how to call it")
    if exported.library is None:
        print(f"only the array was written: {exported.reason}")
