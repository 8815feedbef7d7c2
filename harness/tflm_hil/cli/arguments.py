"""Arguments that several commands take."""

from __future__ import annotations

from typing import Annotated

import typer

from tflm_hil.engines.selection import DEFAULT

ModelName = Annotated[str, typer.Argument(metavar="MODEL", help="a folder in models/, e.g. gesture")]
VariantName = Annotated[
    str | None, typer.Option("--variant", help="a variant of the model's manifest (default: int8, or the first)")
]
EngineName = Annotated[
    str | None, typer.Option("--engine", help=f"what executes the network (default: the project's, or {DEFAULT})")
]
TargetName = Annotated[
    str | None, typer.Option("--target", help="the chip to build for (default: the board's, the project's, or stm32f4)")
]
BoardName = Annotated[
    str, typer.Option("--board", help="emulated, auto, a name of hil-boards.toml, a serial port or a URL")
]
SampleName = Annotated[
    str | None, typer.Argument(metavar="SAMPLE", help="a recording or stimulus; the first if left out")
]
SampleWindow = Annotated[int, typer.Option("--window", help="which window of the recording, counted from 0")]
