"""`hil`: the harness from the command line, over the same layers as the pytest plugin."""

from __future__ import annotations

import importlib.metadata
import sys
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from tflm_hil.boards.board import Board
from tflm_hil.boards.targets import Target, find_targets
from tflm_hil.commands.bench.measure import bench
from tflm_hil.commands.bench.rows import Figures, Row, Unmeasured, failed
from tflm_hil.commands.bench.subjects import choose
from tflm_hil.commands.inspection import inspect
from tflm_hil.commands.trace import choose_sample, trace
from tflm_hil.errors import DeviceError, HilError
from tflm_hil.files import probe_folder, project_root, write_text
from tflm_hil.firmware.application import FILE as APPLICATION_FILE
from tflm_hil.firmware.build_dir import Say
from tflm_hil.lab.dut import Build, Firmware, Measurement
from tflm_hil.lab.options import Options
from tflm_hil.lab.session import Session
from tflm_hil.models.answers import truth_text
from tflm_hil.models.manifest import load_models
from tflm_hil.recordings import Recording
from tflm_hil.report import benchmark
from tflm_hil.report.inspection import inspection_lines
from tflm_hil.report.text import table_lines

app = typer.Typer(
    help="Hardware-in-the-loop tests for TensorFlow Lite Micro firmware. The suite itself runs under pytest: "
    "`pytest --board=emulated`.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

ModelName = Annotated[str, typer.Argument(metavar="MODEL", help="a folder in models/, e.g. gesture")]
VariantName = Annotated[str, typer.Option("--variant", help="a variant of the model's manifest")]
EngineName = Annotated[str, typer.Option("--engine", help="what executes the network")]
TargetName = Annotated[str, typer.Option("--target", help="the chip to build for")]
BoardName = Annotated[str, typer.Option("--board", help="emulated, a serial port or a URL")]


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


@app.command()
def build(
    model: ModelName,
    variant: VariantName = "int8",
    engine: EngineName = "aot",
    target: TargetName = "stm32f4",
) -> None:
    """Build the firmware and show its sizes.

    Example: hil build gesture --variant int8
    """
    session = _session(None, model, engine, target)
    image = _firmware(session, variant).image
    print(image.elf)
    table = Table("section", "bytes", box=None)
    for name, size in image.sections.items():
        table.add_row(name, f"{size:,}")
    print(*table_lines(table), sep="\n")
    print(f"flash {image.flash_bytes:,} bytes (model {image.model_bytes:,}), static RAM {image.ram_bytes:,} bytes")
    print(f"build id {image.build_id.hex()}")


@app.command()
def replay(
    model: ModelName,
    recording: Annotated[str, typer.Argument(metavar="RECORDING", help="its name, e.g. punch/017")],
    window: Annotated[int | None, typer.Option("--window", help="only this window, counted from 0")] = None,
    variant: VariantName = "int8",
    engine: EngineName = "aot",
    target: TargetName = "stm32f4",
    board: BoardName = "emulated",
) -> None:
    """Stream one recording, or one window of it, and show both sides of every answer.

    Example: hil replay gesture punch/017 --window 0
    """
    session = _session(board, model, engine, target)
    firmware = _firmware(session, variant)
    chosen = _select(session, firmware, recording, window)
    measurement = _stream(session, firmware, chosen)
    reference = session.reference(firmware.variant.path)
    table = Table("window", "true", "device", "outputs", "reference", "outputs", "same", measurement.unit, box=None)
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
            *(same, f"{answers.invoke[index]:,}"),
        )
    print(*table_lines(table), sep="\n")
    if measurement.parity(reference).mismatches:
        raise typer.Exit(1)


@app.command("trace")
def trace_(
    model: ModelName,
    sample: Annotated[
        str | None, typer.Argument(metavar="SAMPLE", help="a recording or stimulus; the first if left out")
    ] = None,
    window: Annotated[int, typer.Option("--window", help="which window of the recording, counted from 0")] = 0,
    variant: VariantName = "int8",
    engine: EngineName = "aot",
    target: TargetName = "stm32f4",
    board: BoardName = "emulated",
) -> None:
    """Run the debug image on one window, and hold every operator against the reference.

    Example: hil trace gesture punch/017 --window 0
    """
    session = _session(board, model, engine, target)
    firmware = _firmware(session, variant)
    chosen = choose_sample(session, firmware, sample, window)
    with _board(session) as opened, _status(f"tracing {chosen.name}"):
        found = trace(session, opened, firmware, chosen, session.options.report_dir / "uart" / "trace.log")
    table = Table("what", "with the reference", "tensor", "name", box=None)
    for layer in found.layers:
        said = str(layer.difference) if layer.difference else "agrees" if layer.kept else "not shown by the device"
        table.add_row(layer.name, said, str(layer.tensor.index), layer.tensor.name)
    print(*table_lines(table), sep="\n")
    print(found)
    if found.first:
        raise typer.Exit(1)


@app.command("bench")
def bench_(
    networks: Annotated[list[Path] | None, typer.Argument(metavar="[NETWORK.tflite]...", help=".tflite files")] = None,
    models: Annotated[
        list[str] | None,
        typer.Option("--model", help="a folder in models/, all of them (`all`), or a network of the set; repeatable"),
    ] = None,
    with_set: Annotated[bool, typer.Option("--set", help="the bench's set of networks of all shapes")] = False,
    engine: Annotated[str, typer.Option("--engine", help="aot, tflm, or auto for all there are")] = "auto",
    target: TargetName = "stm32f4",
    json_file: Annotated[Path | None, typer.Option("--json", help="write everything to this file as well")] = None,
) -> None:
    """Measure instructions, sizes and the streaming rate against their goals, and the engines side by side.

    Measures what is named: files, models, the set. Without any, all models of the project and the set. A figure is
    shown as soon as it is there, first those of the first engine. Ends with status 1 where a goal is missed, an answer
    is wrong, or something could not be measured.

    Examples: hil bench kws_ref_model.tflite

    hil bench --model gesture --engine aot --json bench.json

    hil bench --set
    """
    subjects = choose(project_root(Path.cwd()), models or [], networks or [], with_set)
    if json_file:
        probe_folder(json_file.parent)
    session = _session("emulated", None, engine, target)
    _one(session.targets)
    rows: list[Row] = []
    # On a terminal, print() goes above the status line; where the output goes elsewhere, it goes there.
    out = None if sys.stdout.isatty() else sys.stdout
    with tempfile.TemporaryDirectory(prefix="hil-") as folder, _status("measuring") as say:
        for row in bench(session, subjects, Path(folder), say):
            rows.append(row)
            if isinstance(row, Figures | Unmeasured):
                print(benchmark.line(row), file=out, flush=True)
            if json_file:
                write_text(json_file, benchmark.as_json(rows, session.toolchain, session.missing_engines))
    print()
    missing = [f"without engine {engine}: {reason}" for engine, reason in session.missing_engines.items()]
    for lines in (
        benchmark.goal_lines(rows),
        benchmark.engine_lines(rows),
        [*missing, *benchmark.remarks(rows)],
    ):
        print(*lines, sep="\n", end="\n\n")
    if any(map(failed, rows)):
        raise typer.Exit(1)


@app.command("inspect")
def inspect_(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="a .tflite file, or a folder in models/")],
    variant: VariantName = "int8",
    target: TargetName = "stm32f4",
    as_json: Annotated[bool, typer.Option("--json", help="everything that is known, as JSON")] = False,
) -> None:
    """Show a network's operators, tensors, arithmetic and memory, and which engines take it.

    Example: hil inspect models/gesture/gesture_int8.tflite
    """
    with _status("building the firmware") as say:
        inspection = inspect(_tflite(model, variant), project_root(Path.cwd()), _one(find_targets([target])).name, say)
    if as_json:
        print(msgspec.json.format(msgspec.json.encode(inspection)).decode())
    else:
        print(*inspection_lines(inspection), sep="\n")


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


def _session(board: str | None, model: str | None, engine: str, target: str) -> Session:
    root = project_root(Path.cwd())
    return Session(
        Options(
            root=root,
            board=board,
            emulator="auto",
            targets=(target,),
            # An application of its own brings its engine, whatever is the default here.
            engine="auto" if engine == "aot" and (root / APPLICATION_FILE).is_file() else engine,
            models=(model,) if model else (),
            report_dir=root / "reports",
            baseline_dir=None,
            update_baseline=False,
            flash=board == "emulated",
            trace=False,
        )
    )


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


def _one(targets: Sequence[Target]) -> Target:
    if len(targets) != 1:
        raise HilError("--target: this command takes one target; `pytest --board=emulated --target=all` runs them all")
    return targets[0]


def _firmware(session: Session, variant: str) -> Firmware:
    _one(session.targets)
    builds = {build.variant.name: build for build in session.builds}
    if variant not in builds:
        raise HilError(f"--variant={variant}: no such variant; the manifest has {', '.join(builds)}")
    return _build(session, builds[variant])


def _build(session: Session, build: Build) -> Firmware:
    with _status(f"building {build.name}") as say:
        return session.firmware(build, say=say)


def _stream(session: Session, firmware: Firmware, recording: Recording) -> Measurement:
    log = session.options.report_dir / "uart" / "replay.log"
    with (
        _board(session) as board,
        _status(f"streaming {recording.name}"),
        session.connected(board, firmware, log) as device,
    ):
        return device.stream([recording])


@contextmanager
def _board(session: Session) -> Iterator[Board]:
    with tempfile.TemporaryDirectory(prefix="hil-") as folder:
        board = session.open_board(Path(folder))
        try:
            yield board
        finally:
            board.close()


def _select(session: Session, firmware: Firmware, name: str, window: int | None) -> Recording:
    model = firmware.model
    recordings = {recording.name: recording for recording in session.all_recordings(model)}
    if not recordings:
        raise HilError(f"{model.name} has no recordings; trace one of its stimuli with `hil trace {model.name}`")
    if name not in recordings:
        raise HilError(f"{name}: no such recording of {model.name}; there are e.g. {', '.join(list(recordings)[:3])}")
    recording = recordings[name]
    return recording if window is None else recording.only(window, model.window, model.stride)


@contextmanager
def _status(what: str) -> Iterator[Say]:
    with Console(stderr=True).status(what) as status:
        yield lambda text: status.update(f"{what}: {text}")


if __name__ == "__main__":
    main()
