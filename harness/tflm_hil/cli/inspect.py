"""`hil inspect`: what a network is made of, and what it takes to run it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from tflm_hil.boards.targets import find_targets
from tflm_hil.cli.arguments import TargetName, VariantName
from tflm_hil.cli.working import only_target, status
from tflm_hil.commands import inspection
from tflm_hil.errors import HilError
from tflm_hil.files import project_root
from tflm_hil.models.manifest import load_models
from tflm_hil.report.inspection import inspection_lines


def inspect(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="a .tflite file, or a folder in models/")],
    variant: VariantName = "int8",
    target: TargetName = "stm32f4",
    as_json: Annotated[bool, typer.Option("--json", help="everything that is known, as JSON")] = False,
) -> None:
    """Show a network's operators, tensors, arithmetic and memory, and which engines take it.

    Example: hil inspect models/gesture/gesture_int8.tflite
    """
    chosen = only_target(find_targets([target]))
    with status("building the firmware") as say:
        found = inspection.inspect(_tflite(model, variant), project_root(Path.cwd()), chosen.name, say)
    if as_json:
        print(msgspec.json.format(msgspec.json.encode(found)).decode())
    else:
        print(*inspection_lines(found), sep="\n")


def _tflite(model: str, variant: str) -> Path:
    path = Path(model)
    if path.suffix == ".tflite" or path.is_file():
        return path
    known = load_models(project_root(Path.cwd()))
    if model not in known:
        raise HilError(f"{model}: neither a .tflite file nor one of models/ ({', '.join(known) or 'which has none'})")
    variants = known[model].variants
    if variant not in variants:
        raise HilError(f"--variant={variant}: no such variant; the manifest has {', '.join(variants)}")
    return variants[variant].path
