"""`hil live`: on the emulated board, at the port of a sketch, and what it refuses."""

from __future__ import annotations

import json

import numpy as np
import pytest
from support.device_helpers import checksum
from support.fake_device import FakeDevice, Image
from support.firmware_helpers import ROOT
from support.hil_command import hil
from support.needs import needs_compiler, needs_emulator
from support.pty_device import serving
from support.sketch import HEAD, resetting, text_of
from tflm_hil.capture import listening
from tflm_hil.commands.live.view import _Plain
from tflm_hil.commands.live.window import Answer
from tflm_hil.models.manifest import load_models
from tflm_hil.recordings import Recording, load_recordings


def gestures() -> list[Recording]:
    """The first recording of each label, of one window each."""
    model = load_models(ROOT)["gesture"]
    assert model.recordings is not None
    found = load_recordings(model.recordings, model.channels, model.window)
    return [next(each for each in found if each.label == label) for label in ("punch", "flex")]


def interrupted(monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    """Let the user press Ctrl-C after so many windows."""
    shown, seen = _Plain.answer, list[str]()

    def show(view: _Plain, answer: Answer, held: str) -> None:
        shown(view, answer, held)
        seen.append(answer.label)
        if len(seen) == after:
            raise KeyboardInterrupt

    monkeypatch.setattr(_Plain, "answer", show)


@needs_emulator
def test_a_recording_is_replayed_to_the_emulated_board() -> None:
    done = hil("live", "gesture", "--recording", "punch/001", "--speed", "0", "--json")
    assert done.returncode == 0, done.stderr
    (window,) = [json.loads(line) for line in done.stdout.splitlines()]
    assert (window["source"], window["index"], window["label"], window["truth"]) == ("punch/001", 0, "punch", "punch")
    assert window["unit"] == "instructions"
    assert 10_000 < window["latency"] < 20_000
    assert sum(window["scores"].values()) == pytest.approx(1, abs=0.05)
    assert "1 of 1 labelled windows right (100.0%)" in done.stderr


def test_gestures_of_a_sketch_are_classified_by_this_host(monkeypatch: pytest.MonkeyPatch) -> None:
    punch, flex = gestures()
    interrupted(monkeypatch, after=3)
    text = text_of(np.array([punch.samples, punch.samples, flex.samples]))
    with resetting(monkeypatch, HEAD + text) as port:
        done = hil("live", "gesture", "--port", port.name, "--hold", "2")
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert [line.split()[3] for line in lines[:3]] == ["punch", "punch", "flex"]
    assert all("us on this host" in line for line in lines[:3])
    assert [line.partition(" holds ")[2] for line in lines[:3]] == ["", "", "punch"]
    assert lines[3:5] == ["", "label windows share median us on this host"]
    assert [line.split()[:2] for line in lines[5:]] == [["punch", "2"], ["flex", "1"], ["all", "3"]]
    assert done.returncode == 130


@needs_compiler
def test_a_board_without_a_sensor_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "LISTEN_S", 0.0)
    with serving(FakeDevice(Image(), checksum)) as port:
        done = hil("live", "gesture", "--port", port)
    assert done.stderr == (
        f"hil: {port} runs firmware for stm32f4, which has no sensor for gesture; name a --target that has one"
        f" (`hil targets`), or replay recordings to it: hil live gesture --board {port}\n"
    )
    assert done.returncode == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nope"], "unknown model nope; models/ has five_gestures, gesture, gesture_cnn"),
        (["gesture", "--port", "x", "--board", "y"], "name either a --port to listen to, or a --board"),
        (["gesture", "--port", "/dev/nowhere"], "board /dev/nowhere: there is no such port"),
        (["gesture", "--recording", "nope"], "nope: no such recording of gesture; there are e.g."),
        (["gesture", "--variant", "nope"], "--variant=nope: no such variant"),
    ],
)
@needs_emulator
def test_what_does_not_run_is_one_line(arguments: list[str], message: str) -> None:
    done = hil("live", *arguments)
    assert (done.returncode, done.stderr.count("\n"), done.stdout) == (1, 1, "")
    assert done.stderr.startswith(f"hil: {message}")
