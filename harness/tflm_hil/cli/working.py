"""What commands work with: the project's session, its firmware, a board; and a line that says what is being done."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
from rich.console import Console

from tflm_hil.boards.board import Board
from tflm_hil.boards.board_file import load_named_boards
from tflm_hil.boards.selection import find
from tflm_hil.boards.serial import port_name
from tflm_hil.boards.serial.board import SerialLine
from tflm_hil.boards.spec import AUTO, SERIAL, split
from tflm_hil.configuration import Configuration, find_project, load_configuration, nearest_project
from tflm_hil.engines import selection as engines
from tflm_hil.errors import HilError
from tflm_hil.lab.build import Firmware
from tflm_hil.lab.options import DEFAULT_TARGET, Flash, Options
from tflm_hil.lab.session import Session
from tflm_hil.models.manifest import LONE_VARIANT, Model, Variant, load_models, lone_model
from tflm_hil.progress import Say
from tflm_hil.targets import Target, find_targets, load_targets
from tflm_hil.targets.target import Uart

VARIANT = "int8"


def open_session(
    board: str | None, model: str | None, engine: str | None, target: str | None, flash: Flash = Flash.AUTO
) -> Session:
    """The session of the project that the command runs in, with its defaults for what is None.

    Raises HilError for a wrong name, and for several boards or targets.
    """
    configuration = load_configuration(find_project(Path.cwd()))
    return session_in(configuration, board, engine, target, () if model is None else (model,), flash)


def session_in(
    configuration: Configuration,
    board: str | None,
    engine: str | None,
    target: str | None,
    models: tuple[str, ...] = (),
    flash: Flash = Flash.AUTO,
    lone: Model | None = None,
) -> Session:
    """The session of this project, with its `models`, or with the `lone` one, which is none of its own.

    Raises HilError as `open_session`.
    """
    if board is not None and len(split(board)) > 1:
        raise HilError("--board: name one board; several share the work of `pytest --board=...`")
    root = configuration.root
    # An application of its own brings its engine.
    own = engines.AUTO if configuration.application and not lone else configuration.default_engine or engines.DEFAULT
    session = Session(
        Options(
            root=root,
            boards=() if board is None else (board,),
            emulator="auto",
            targets=() if target is None else (target,),
            engine=own if engine is None else engine,
            models=models,
            report_dir=root / "reports",
            baseline_dir=None,
            update_baseline=False,
            flash=flash,
            trace=False,
            coverage=False,
        ),
        lone,
    )
    only_target(session.targets)
    return session


def serial_line(
    port: str, target: str | None, configuration: Configuration, baud: int | None = None
) -> tuple[SerialLine, str]:
    """The line at `port`, and what the user calls it; its rate is that of the target, unless there is a `baud`.

    Raises HilError if it is no serial port.
    """
    found = find(port, AUTO, load_named_boards(configuration.root))
    spec = found.spec
    if spec.kind != SERIAL:
        raise HilError(f"{port}: no serial port; name one")
    port_name.check(spec.address)
    named = spec.named.target(load_targets(configuration.targets)) if spec.named and target is None else None
    known = named or chosen_target(configuration, target)
    uart: Uart = spec.named.line(known.uart) if spec.named else known.uart
    return SerialLine.at(spec.address, msgspec.structs.replace(uart, baud=baud) if baud else uart, spec.text), spec.text


@contextmanager
def nearest_configuration() -> Iterator[Configuration]:
    """The project that the command runs in; if there is none, an empty one that is gone at the end.

    Raises HilError if the project's configuration is wrong.
    """
    if root := nearest_project(Path.cwd()):
        yield load_configuration(root)
        return
    with tempfile.TemporaryDirectory(prefix="hil-") as folder:
        yield load_configuration(Path(folder))


def chosen_target(configuration: Configuration, name: str | None) -> Target:
    """The target `name`, or that of the project. Raises HilError if there is none, or if the name is one of several."""
    chosen = name if name is not None else configuration.default_target or DEFAULT_TARGET
    return only_target(find_targets(load_targets(configuration.targets), (chosen,)))


def only_target(targets: Sequence[Target]) -> Target:
    """The one among `targets`. Raises HilError if there are several."""
    if len(targets) != 1:
        raise HilError("--target: name one target; run all with `pytest --board=emulated --hil-target=all`")
    return targets[0]


def build_firmware(session: Session, variant: str | None) -> Firmware:
    """The image of the session's model. Raises HilError for an unknown variant, or if it cannot be built."""
    builds = {build.variant.name: build for build in session.builds}
    build = builds[choose_variant(variant, list(builds))]
    with status(f"building {build.name}") as say:
        return session.firmware(build, say=say)


def choose_variant(variant: str | None, known: Sequence[str]) -> str:
    """`variant`, or if none was asked for, int8 or the first of `known`. Raises HilError for an unknown one."""
    if variant is None:
        return VARIANT if VARIANT in known else known[0]
    if variant not in known:
        raise HilError(f"--variant={variant}: no such variant; the manifest has {', '.join(known)}")
    return variant


def find_network(name: str, variant: str | None) -> tuple[Model, Variant]:
    """The .tflite file `name`, or a variant of the model `name` in the project that the command runs in.

    Raises HilError if there is neither, if there is no such variant, or if the project's configuration is wrong.
    """
    path = Path(name)
    if path.suffix == ".tflite" or path.is_file():
        if variant is not None:
            raise HilError(f"--variant={variant}: {name} is a file, which has no variants; leave it out")
        model = lone_model(path)
        # Messages call the file what the user calls it.
        return model, msgspec.structs.replace(model.variants[LONE_VARIANT], path=path)
    with nearest_configuration() as configuration:
        known = load_models(configuration.root)
    if name not in known:
        raise HilError(f"{name}: neither a .tflite file nor one of models/ ({', '.join(known) or 'which has none'})")
    variants = known[name].variants
    return known[name], variants[choose_variant(variant, list(variants))]


@contextmanager
def open_board(session: Session) -> Iterator[Board]:
    """The session's board, closed at the end. Its logs are kept, because messages name them."""
    folder = session.options.report_dir / "board" / "hil"
    folder.mkdir(parents=True, exist_ok=True)
    with status(f"opening {session.board.name}") as say:
        board = session.open_board(folder, say)
    try:
        yield board
    finally:
        board.close()


@contextmanager
def status(what: str) -> Iterator[Say]:
    """Show `what` is being done while it is done, on a terminal, with what the `Say` is told."""
    with Console(stderr=True).status(what) as shown:
        yield lambda text: shown.update(f"{what}: {text}")
