"""Arguments that several commands take."""

from __future__ import annotations

from typing import Annotated

import typer

ModelName = Annotated[str, typer.Argument(metavar="MODEL", help="a folder in models/, e.g. gesture")]
VariantName = Annotated[str, typer.Option("--variant", help="a variant of the model's manifest")]
EngineName = Annotated[str, typer.Option("--engine", help="what executes the network")]
TargetName = Annotated[str, typer.Option("--target", help="the chip to build for")]
BoardName = Annotated[str, typer.Option("--board", help="emulated, a serial port or a URL")]
