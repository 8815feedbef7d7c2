"""`hil quantize`: the variants of a network that was trained."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tflm_hil.boards.qemu import program as qemu_program
from tflm_hil.cli.working import status
from tflm_hil.configuration import find_project, load_configuration
from tflm_hil.errors import HilError
from tflm_hil.files import write_all
from tflm_hil.firmware.project import FirmwareProject
from tflm_hil.report.quantization import quantization_lines
from tflm_hil.targets import load_targets
from tflm_hil.training.quantize import DEFAULT_VARIANTS, Recipe
from tflm_hil.training.quantize import quantize as quantize_model


def quantize(
    name: Annotated[str, typer.Argument(metavar="NAME", help="a model that `hil train` has trained")],
    variants: Annotated[
        str, typer.Option("--variants", help="those that model.toml gets, if it has not: names with commas between")
    ] = ",".join(DEFAULT_VARIANTS),
    prune: Annotated[
        list[float] | None,
        typer.Option("--prune", metavar="SHARE", help="also try without this share of hidden units; repeatable"),
    ] = None,
) -> None:
    """Convert a trained network to float32, float16, dynamic range, int8, int8 with float inputs, and int16x8.

    Shows for each its size, how well it does on the validation windows, and which engines take it. `--prune 0.5` also
    takes half of the hidden units out, trains on, and shows what the int8 network is then; with `--variants
    float32,int8,pruned50_int8` that becomes a variant.

    Examples: hil quantize gestures

    hil quantize gestures --prune 0.25 --prune 0.5
    """
    shares = tuple(dict.fromkeys(prune or ()))
    for share in shares:
        if not 0 < share < 1:
            raise HilError(f"--prune={share:g}: is a share of the hidden units between 0 and 1, such as 0.5")
    configuration = load_configuration(find_project(Path.cwd()))
    targets = load_targets(configuration.targets)
    project = FirmwareProject(configuration.root / ".hil", qemu_program.run, targets=targets.values())
    recipe = Recipe([each.strip() for each in variants.split(",") if each.strip()], shares)
    with status(f"quantizing {name}") as say:
        done = quantize_model(configuration, name, project, recipe, say)
    write_all(done.files)
    print(*quantization_lines(done.quantization), *done.remarks, sep="\n")
    print("\nnext:", "pytest --board=emulated", sep="\n    ")
