"""The `hil` program: its commands, and what becomes of an error."""

from __future__ import annotations

import importlib
import importlib.metadata
import sys
import warnings
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from tflm_hil.errors import DeviceError, HilError

COMMANDS = (
    "new",
    "init",
    "doctor",
    "boards",
    "fleet",
    "capture",
    "train",
    "quantize",
    "build",
    "flash",
    "run",
    "live",
    "trace",
    "profile",
    "monitor",
    "debug",
    "bench",
    "inspect",
    "export",
    "history",
    "compare",
    "bisect",
    "merge",
    "targets",
    "report",
    "baseline",
    "path",
)
"""In the order of `hil --help`. Each is a function of its name, in the module of its name."""


class _Commands(TyperGroup):
    """Imports a command when it is asked for, because all of them together take half a second.

    Contexts and commands are Click's own in older versions of Typer, and Typer's in newer ones.
    """

    def list_commands(self, ctx: Any) -> list[str]:
        for name in COMMANDS:
            self.get_command(ctx, name)
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            self.list_commands(ctx)  # What was meant is looked for among those that are there.
        elif cmd_name not in self.commands:
            alone = typer.Typer(add_completion=False)
            alone.command(cmd_name)(getattr(importlib.import_module(f"tflm_hil.cli.{cmd_name}"), cmd_name))
            self.add_command(typer.main.get_command(alone))
        return super().get_command(ctx, cmd_name)


app = typer.Typer(
    cls=_Commands,
    help="Hardware-in-the-loop tests for TensorFlow Lite Micro firmware. The suite itself runs under pytest: "
    "`pytest --board=emulated`.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"tflm-hil {importlib.metadata.version('tflm-hil')}")
        raise typer.Exit


@app.callback()
def hil(
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="show the version and exit")
    ] = False,
) -> None:
    """What holds for every command."""


def main() -> None:
    """The entry point: errors that people can mend are one line, without a traceback."""
    warnings.formatwarning = lambda message, *_: f"hil: {message}\n"
    try:
        app()
    except HilError as error:
        if isinstance(error, DeviceError):
            print(*error.log_tail, sep="\n", file=sys.stderr)
        print(f"hil: {error}", file=sys.stderr)
        sys.exit(1)
