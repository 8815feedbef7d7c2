"""`hil inspect`: what a network is made of, and what it takes to run it."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from tflm_hil.boards.qemu import program as qemu_program
from tflm_hil.cli.arguments import TargetName, VariantName
from tflm_hil.cli.working import chosen_target, find_network, nearest_configuration, status
from tflm_hil.commands import inspection
from tflm_hil.firmware.project import FirmwareProject
from tflm_hil.report.inspection import inspection_lines
from tflm_hil.targets import load_targets


def inspect(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="a .tflite file, or a folder in models/")],
    variant: VariantName = None,
    target: TargetName = None,
    as_json: Annotated[bool, typer.Option("--json", help="everything that is known, as JSON")] = False,
) -> None:
    """Show a network's operators, tensors, arithmetic and memory, and which engines take it.

    A file needs no project around it.

    Example: hil inspect models/gesture/gesture_int8.tflite
    """
    _, network = find_network(model, variant)
    with nearest_configuration() as configuration, status("building the firmware") as say:
        known = load_targets(configuration.targets)
        chosen = chosen_target(configuration, target)
        project = FirmwareProject(configuration.root / ".hil", qemu_program.run, targets=known.values())
        found = inspection.inspect(network.path, project, chosen, say)
    if as_json:
        print(msgspec.json.format(msgspec.json.encode(found)).decode())
    else:
        print(*inspection_lines(found), sep="\n")
