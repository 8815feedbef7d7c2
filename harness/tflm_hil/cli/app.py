"""The `hil` program: its commands, and what becomes of an error."""

from __future__ import annotations

import importlib.metadata
import sys
import warnings
from typing import Annotated

import typer

from tflm_hil.cli.bench import bench
from tflm_hil.cli.boards import boards
from tflm_hil.cli.build import build
from tflm_hil.cli.debug import debug
from tflm_hil.cli.doctor import doctor
from tflm_hil.cli.flash import flash
from tflm_hil.cli.fleet import fleet
from tflm_hil.cli.init import init
from tflm_hil.cli.inspect import inspect
from tflm_hil.cli.monitor import monitor
from tflm_hil.cli.new import new
from tflm_hil.cli.path import path
from tflm_hil.cli.run import run
from tflm_hil.cli.targets import targets
from tflm_hil.cli.trace import trace
from tflm_hil.errors import DeviceError, HilError

app = typer.Typer(
    help="Hardware-in-the-loop tests for TensorFlow Lite Micro firmware. The suite itself runs under pytest: "
    "`pytest --board=emulated`.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (
    new,
    init,
    doctor,
    boards,
    fleet,
    build,
    flash,
    run,
    trace,
    monitor,
    debug,
    bench,
    inspect,
    targets,
    path,
):
    app.command()(command)


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
