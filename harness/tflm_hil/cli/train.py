"""`hil train`: a network, from recordings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from tflm_hil.commands.scaffold.project import frame
from tflm_hil.configuration import load_configuration, nearest_project
from tflm_hil.files import write_all
from tflm_hil.report.training import training_lines
from tflm_hil.training.sensing import SensorWishes
from tflm_hil.training.subject import Wishes
from tflm_hil.training.train import Recipe, Watch
from tflm_hil.training.train import train as train_model

if TYPE_CHECKING:
    from tflm_hil.training.fitting import History


def train(
    name: Annotated[str, typer.Argument(metavar="NAME", help="the model: a folder in models/, made if it is missing")],
    recordings: Annotated[
        str | None,
        typer.Option(
            "--recordings",
            metavar="SET",
            help="a folder in recordings/, or a path (default: those of model.toml, or the set called NAME)",
        ),
    ] = None,
    arch: Annotated[
        str, typer.Option("--arch", help="dense: the network of the paper; cnn: a small convolutional one")
    ] = "dense",
    window: Annotated[
        int | None, typer.Option("--window", min=1, max=65535, help="rows of a window of a new model (default: 30)")
    ] = None,
    stride: Annotated[
        int | None, typer.Option("--stride", min=1, max=65535, help="rows from window to window (default: 5)")
    ] = None,
    epochs: Annotated[
        int | None, typer.Option("--epochs", min=1, help="at most so many (default: dense 600, cnn 100)")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="of the split, the first weights and the order")] = 1,
    validation: Annotated[
        float, typer.Option("--validation", min=0.01, max=0.99, help="the share of recordings to validate with")
    ] = 0.2,
    early_stopping: Annotated[
        bool, typer.Option("--early-stopping", help="end after 50 epochs without a lower validation loss")
    ] = False,
    sensor: Annotated[
        str | None, typer.Option("--sensor", help="of a new model (default: that of the recordings, or MPU6050)")
    ] = None,
    accelerometer_range: Annotated[
        float | None, typer.Option("--accelerometer-range", min=0.0, help="in g (default: 4, if no recording says it)")
    ] = None,
    gyroscope_range: Annotated[
        float | None, typer.Option("--gyroscope-range", min=0.0, help="in dps (default: 2000)")
    ] = None,
) -> None:
    """Train a network on recordings. Writes models/NAME: model.toml, the network for Keras and as .tflite, its figures.

    Whole recordings are put aside for validation, and the weights are those of the epoch with the lowest validation
    loss. A model.toml that is there stays as it is. Where there is no project yet, this folder becomes one.

    Examples: hil train gestures

    hil train gestures --recordings recordings/monday --arch cnn --early-stopping
    """
    found = nearest_project(Path.cwd())
    root = found or Path.cwd()
    surroundings, left = ({}, []) if found else frame(root)
    sensing = SensorWishes(sensor, accelerometer_range, gyroscope_range)
    with _progress() as watch:
        trained = train_model(
            load_configuration(root),
            name,
            Wishes(recordings, window, stride, sensing),
            Recipe(arch, epochs, seed, validation, early_stopping),
            watch,
        )
    write_all({**surroundings, **trained.files})
    print(*training_lines(trained.training), sep="\n", end="\n\n")
    print(*(_shown(path) for path in (*surroundings, *trained.files)), *left, sep="\n")
    others = [variant for variant in trained.model.variants.values() if variant.path not in trained.files]
    if others:
        print(f"\n{', '.join(variant.name for variant in others)}: still of the network before this one")
    print("\nnext:", f"hil quantize {name}", "pytest --board=emulated", sep="\n    ")


def _shown(path: Path) -> Path:
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


@contextmanager
def _progress() -> Iterator[Watch]:
    """Show the epochs on a terminal while there are some."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _planned, _history: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[figures]}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("reading, loading TensorFlow", total=None, figures="")

        def watch(planned: int, history: History) -> None:
            run = len(history.loss)
            figures = (
                f"loss {history.loss[-1]:.4f}, validation {history.val_loss[-1]:.4f} "
                f"(lowest {min(history.val_loss):.4f}), accuracy {history.val_accuracy[-1]:.1%}"
            )
            progress.update(
                task, description=f"epoch {run} of {planned}", total=planned, completed=run, figures=figures
            )

        yield watch
