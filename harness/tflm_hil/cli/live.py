"""`hil live`: a running stream, classified as it comes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from tflm_hil.boards.spec import EMULATED
from tflm_hil.capture.sketch_settings import USUAL, Settings
from tflm_hil.capture.sketch_source import SketchSource
from tflm_hil.capture.trigger import Cut
from tflm_hil.cli.arguments import EngineName, ModelName, TargetName, VariantName
from tflm_hil.cli.listening import SKETCH_BAUD, Heard, SketchBaud, listening
from tflm_hil.cli.run import choose_recording
from tflm_hil.cli.working import build_firmware, choose_variant, open_board, open_session, status
from tflm_hil.commands.live.device import replayed, sensed
from tflm_hil.commands.live.host import HostClassifier, check_windowed
from tflm_hil.commands.live.running import Held, Tally
from tflm_hil.commands.live.view import View, viewing
from tflm_hil.commands.live.window import Answer
from tflm_hil.configuration import find_project, load_configuration
from tflm_hil.errors import HilError
from tflm_hil.lab.build import Firmware
from tflm_hil.lab.dut import DeviceUnderTest
from tflm_hil.lab.session import Session
from tflm_hil.models.manifest import Model, load_models
from tflm_hil.recordings import Recording
from tflm_hil.report.text import table_lines

Answers = Callable[[View], Iterable[Answer]]


def live(
    model: ModelName,
    port: Annotated[
        str | None, typer.Option("--port", help="a port: a sketch that prints gestures, or a board with a sensor")
    ] = None,
    board: Annotated[
        str | None, typer.Option("--board", help="a board that recordings are replayed to (default: emulated)")
    ] = None,
    variant: VariantName = None,
    engine: EngineName = None,
    target: TargetName = None,
    recording: Annotated[str | None, typer.Option("--recording", help="replay only this one, e.g. punch/017")] = None,
    speed: Annotated[
        float, typer.Option("--speed", min=0, help="how many times faster to replay than it was; 0 without a pause")
    ] = 1.0,
    hold: Annotated[int, typer.Option("--hold", min=1, help="a label holds after so many windows in a row")] = 1,
    threshold: Annotated[
        float | None, typer.Option("--threshold", help="the motion, in g, that begins a gesture of the sketch")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object a window")] = False,
    baud: SketchBaud = SKETCH_BAUD,
) -> None:
    """Classify a running stream, and show each answer, its scores and what it took. End with Ctrl-C.

    At a port with an Arduino sketch, this host classifies the gestures that the sketch prints. At a port with our
    firmware and a sensor, the device does. A board is sent recordings, at the rate of the sensor.

    Examples:

    hil live gesture --port /dev/ttyACM0

    hil live gesture --board emulated --recording continuous_1 --speed 0
    """
    if port is not None and board is not None:
        raise HilError("name either a --port to listen to, or a --board to replay recordings to")
    known = _model(model)
    tally = Tally()
    with ExitStack() as stack:
        if port is None:
            chosen = _on_board(board or EMULATED, model, variant, engine, target, replay=(recording, speed))
        else:
            chosen = _at_port(port, known, variant, engine, target, baud, Cut(threshold_g=threshold))
        title, answers = stack.enter_context(chosen)
        try:
            with viewing(title, as_json) as view:
                _show(answers, view, tally, Held(hold))
        finally:
            _summarize(tally, as_json)


def _show(answers: Answers, view: View, tally: Tally, held: Held) -> None:
    for answer in answers(view):
        tally.take(answer)
        view.answer(answer, held.take(answer.label))


def _summarize(tally: Tally, as_json: bool) -> None:
    if tally.windows:
        # What reads JSON reads nothing else.
        typer.echo("\n".join(["", *table_lines(tally.table()), *filter(None, [tally.accuracy])]), err=as_json)


def _model(name: str) -> Model:
    root = find_project(Path.cwd())
    known = load_models(root)
    if name not in known:
        folder = load_configuration(root).models.name
        raise HilError(f"unknown model {name}; {folder}/ has {', '.join(sorted(known)) or 'none'}")
    check_windowed(known[name])
    return known[name]


@contextmanager
def _at_port(
    port: str, model: Model, variant: str | None, engine: str | None, target: str | None, baud: int, cut: Cut
) -> Iterator[tuple[str, Answers]]:
    with listening(load_configuration(find_project(Path.cwd())), port, target, baud) as heard:
        if heard.info is None:
            yield _by_host(heard, model, variant, cut)
            return
        runs_for = heard.info.target
    # The port is free again: the board may have to be flashed.
    with _on_board(port, model.name, variant, engine, target or runs_for, replay=None) as found:
        yield found


def _by_host(heard: Heard, model: Model, variant: str | None, cut: Cut) -> tuple[str, Answers]:
    chosen = model.variants[choose_variant(variant, list(model.variants))]
    classifier = HostClassifier(model, chosen)
    usual = replace(USUAL, rate_hz=model.sample_rate_hz, rows=model.window)
    source = SketchSource(heard.connection, heard.name, cut, Settings(), heard.text, usual)
    title = f"{model.name}-{chosen.name} on this host, gestures of the sketch at {heard.name}"
    return title, lambda view: classifier.answers(source, view.note)


@contextmanager
def _on_board(
    name: str,
    model: str,
    variant: str | None,
    engine: str | None,
    target: str | None,
    replay: tuple[str | None, float] | None,
) -> Iterator[tuple[str, Answers]]:
    """The answers of a board: to recordings that are replayed, or if there are none, to its own sensor."""
    session = open_session(name, model, engine, target)
    only = build_firmware(session, variant)
    recordings = _recordings(session, only, replay[0]) if replay else []
    if replay is None and not session.senses(only):
        raise HilError(
            f"{name} runs firmware for {only.target}, which has no sensor for {model}; name a --target that has one"
            f" (`hil targets`), or replay recordings to it: hil live {model} --board {name}"
        )
    log = session.options.report_dir / "uart" / "live.log"
    with open_board(session) as board, ExitStack() as stack:
        with status(f"connecting to {board.name}") as say:
            device: DeviceUnderTest = stack.enter_context(session.connected(board, only, log, say=say))
        source = f"{len(recordings)} recordings replayed" if replay else "its own sensor"
        title = f"{only.name} on {board.name}, {source}"
        yield title, lambda _view: replayed(device, recordings, replay[1]) if replay else sensed(device)


def _recordings(session: Session, firmware: Firmware, name: str | None) -> Sequence[Recording]:
    if name is not None:
        return [choose_recording(session, firmware, name, None)]
    recordings = session.all_recordings(firmware.model)
    if not recordings:
        raise HilError(f"{firmware.model.name} has no recordings to replay; name a --port")
    return recordings
