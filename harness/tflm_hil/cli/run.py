"""`hil run`: one recording on a board, both sides of every answer."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from tflm_hil.cli.arguments import BoardName, EngineName, ModelName, TargetName, VariantName
from tflm_hil.cli.working import build_firmware, open_board, open_session, status
from tflm_hil.errors import HilError
from tflm_hil.lab.build import Firmware
from tflm_hil.lab.measurement import Measurement
from tflm_hil.lab.session import Session
from tflm_hil.models.answers import truth_text
from tflm_hil.recordings import Recording
from tflm_hil.report.text import table_lines


def run(
    model: ModelName,
    recording: Annotated[str, typer.Argument(metavar="RECORDING", help="its name, e.g. punch/017")],
    window: Annotated[int | None, typer.Option("--window", help="only this window, counted from 0")] = None,
    variant: VariantName = None,
    engine: EngineName = None,
    target: TargetName = None,
    board: BoardName = "emulated",
) -> None:
    """Stream one recording, or one window of it, and show both sides of every answer.

    Example: hil run gesture punch/017 --window 0
    """
    session = open_session(board, model, engine, target)
    firmware = build_firmware(session, variant)
    chosen = choose_recording(session, firmware, recording, window)
    measurement = _stream(session, firmware, chosen)
    reference = session.reference(firmware.variant.path)
    columns = ("window", "true", "device", "outputs", "reference", "outputs", "same")
    # A board without a counter measures nothing.
    table = Table(*columns, *filter(None, [measurement.unit]), box=None)
    expected = measurement.expected(reference)[0]
    answers = measurement.answers[0]
    truth = measurement.truths(answers)
    real = reference.outputs[0].quantization.real
    labels = [firmware.model.meaning.answers(real(outputs)) for outputs in (answers.outputs, expected)]
    for index, (ours, theirs) in enumerate(zip(answers.outputs, expected, strict=True)):
        same = "yes" if ours.tobytes() == theirs.tobytes() else "NO"
        number = str(index if window is None else window)
        outputs = [str(ours.tolist()), str(theirs.tolist())]
        table.add_row(
            *(number, truth_text(truth[index]), labels[0][index], outputs[0], labels[1][index], outputs[1]),
            *(same, f"{answers.invoke[index]:,}")[: 2 if measurement.unit else 1],
        )
    print(*table_lines(table), sep="\n")
    if measurement.parity(reference).mismatches:
        raise typer.Exit(1)


def choose_recording(session: Session, firmware: Firmware, name: str, window: int | None) -> Recording:
    """The recording of the model by its name, or one window of it. Raises HilError if there is none of them."""
    model = firmware.model
    recordings = {recording.name: recording for recording in session.all_recordings(model)}
    if not recordings:
        raise HilError(f"{model.name} has no recordings; trace one of its stimuli with `hil trace {model.name}`")
    if name not in recordings:
        raise HilError(f"{name}: no such recording of {model.name}; there are e.g. {', '.join(list(recordings)[:3])}")
    recording = recordings[name]
    return recording if window is None else recording.only(window, model.window, model.stride)


def _stream(session: Session, firmware: Firmware, recording: Recording) -> Measurement:
    log = session.options.report_dir / "uart" / "run.log"
    with (
        open_board(session) as board,
        status(f"streaming {recording.name}") as say,
        session.connected(board, firmware, log, say=say) as device,
    ):
        return device.stream([recording])
