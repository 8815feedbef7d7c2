"""`hil capture`: recordings from a board."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from tflm_hil.capture.capturing import capture as capture_gestures
from tflm_hil.capture.data_set import DataSet, check_name
from tflm_hil.capture.firmware_source import FirmwareSource
from tflm_hil.capture.image import NAME, capture_model
from tflm_hil.capture.sketch_settings import Settings, sensor_option
from tflm_hil.capture.sketch_source import SketchSource
from tflm_hil.capture.source import Source
from tflm_hil.capture.trigger import Cut
from tflm_hil.capture.view import viewing
from tflm_hil.cli.arguments import EngineName, TargetName
from tflm_hil.cli.listening import SKETCH_BAUD, SketchBaud, listening
from tflm_hil.cli.working import build_firmware, open_board, session_in, status
from tflm_hil.configuration import Configuration, load_configuration, nearest_project
from tflm_hil.device.client import Client
from tflm_hil.device.uart_log import UartLog
from tflm_hil.errors import HilError
from tflm_hil.targets import load_targets
from tflm_hil.targets.sensor import SensorModel


def capture(
    label: Annotated[str, typer.Option("--label", help="what the gestures are called, e.g. punch")],
    port: Annotated[
        str | None,
        typer.Option("--port", help="a port, a name of hil-boards.toml, or auto: what is there is found out"),
    ] = None,
    board: Annotated[
        str | None,
        typer.Option("--board", help="a board to build and flash the firmware for, and whose sensor it reads"),
    ] = None,
    set_name: Annotated[str, typer.Option("--set", help="the folder in recordings/")] = "gestures",
    count: Annotated[int | None, typer.Option("--count", min=1, help="end after so many gestures")] = None,
    threshold: Annotated[
        float | None, typer.Option("--threshold", help="the motion, in g, that begins a gesture; 0 records without one")
    ] = None,
    rows: Annotated[int | None, typer.Option("--rows", help="rows of a gesture (default: the sketch's, or 30)")] = None,
    pre_trigger: Annotated[
        int | None, typer.Option("--pre-trigger", help="rows of a gesture that are from before the motion")
    ] = None,
    rate: Annotated[float | None, typer.Option("--rate", help="rows a second of a sketch that does not say it")] = None,
    sensor: Annotated[
        str | None, typer.Option("--sensor", help="NAME,G,DPS of a sketch that does not say it; else MPU6050,4,2000")
    ] = None,
    baud: SketchBaud = SKETCH_BAUD,
    target: TargetName = None,
    engine: EngineName = None,
) -> None:
    """Record gestures: from an Arduino sketch that prints them, or from the sensor of a board with our firmware.

    Each gesture is written at once. End with Ctrl-C, or after --count gestures.

    Examples:

    hil capture --port /dev/ttyACM0 --label punch

    hil capture --port /dev/ttyACM0 --label idle --threshold 0 --count 40

    hil capture --board /dev/ttyACM0 --target stm32f4_mpu6050 --label punch
    """
    if (port is None) == (board is None):
        raise HilError("name either the --port to listen to, or the --board to build the firmware for")
    check_name("set", set_name)
    cut = Cut(threshold, rows, pre_trigger)
    told = sensor_option(sensor) if sensor else Settings()
    told = replace(told, rate_hz=rate, rows=rows)
    configuration = load_configuration(nearest_project(Path.cwd()) or Path.cwd())
    data_set = DataSet(configuration.recordings / set_name, label)
    if board and (sensor or rate):
        raise HilError("--sensor and --rate are for sketches; the firmware knows its sensor")
    if board:
        opened = _of_board(configuration, board, target, engine, cut)
    else:
        opened = _of_port(configuration, str(port), target, baud, cut, told)
    with opened as source:
        try:
            with viewing(label, count) as view:
                capture_gestures(source, data_set, view, count)
        finally:
            print(data_set.summary)


@contextmanager
def _of_port(
    configuration: Configuration, port: str, target: str | None, baud: int, cut: Cut, told: Settings
) -> Iterator[Source]:
    with listening(configuration, port, target, baud) as heard:
        if heard.info is None:
            yield SketchSource(heard.connection, heard.name, cut, told, heard.text)
            return
        device = load_targets(configuration.targets).get(heard.info.target)
        with UartLog(Path(os.devnull)) as log:
            client = Client(heard.connection, log, name=heard.name)
            client.hello()
            if told.sensor or told.rate_hz:
                raise HilError(f"{heard.name} runs our firmware, which knows its sensor; leave --sensor and --rate out")
            what = f"{heard.name} runs firmware for {heard.info.target}"
            model = _sensor(device.sensor.model if device and device.sensor else None, what)
            yield FirmwareSource(client, heard.name, model, cut)


@contextmanager
def _of_board(
    configuration: Configuration, board: str, target: str | None, engine: str | None, cut: Cut
) -> Iterator[Source]:
    folder = configuration.root / ".hil" / NAME
    session = session_in(configuration, board, engine, target, lone=capture_model(folder))
    (chosen,) = session.targets
    model = _sensor(chosen.sensor.model if chosen.sensor else None, f"target {chosen.name} is a board")
    firmware = build_firmware(session, None)
    log = session.options.report_dir / "uart" / "capture.log"
    with open_board(session) as opened, ExitStack() as stack:
        with status(f"connecting to {opened.name}") as say:
            connected = session.connected(opened, firmware, log, say=say)
            device = stack.enter_context(connected)  # The line on the terminal is gone before there is a picture.
        yield FirmwareSource(device.client, opened.name, model, cut)


def _sensor(model: SensorModel | None, what: str) -> SensorModel:
    if model is None:
        raise HilError(
            f"{what} without a sensor; build it for a target that has one (`hil targets`), e.g."
            " hil capture --board PORT --target stm32f4_mpu6050 --label LABEL"
        )
    return model
