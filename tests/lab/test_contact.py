"""What one session with a board teaches the next."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from support.device_helpers import FakeClock, MemoryConnection, checksum
from support.fake_device import FakeDevice, Image, Misbehaviour
from tflm_hil.device.client import Client
from tflm_hil.device.messages import FaultKind
from tflm_hil.errors import DeviceError, HilError, LineError
from tflm_hil.lab import contact
from tflm_hil.lab.contact import Contact
from tflm_hil.lab.dut import DeviceUnderTest

IMAGE = Image()
FIRMWARE: Any = SimpleNamespace(
    image=SimpleNamespace(build_id=IMAGE.build_id),
    variant=SimpleNamespace(sha256=IMAGE.model_hash),
    name="gesture-int8",
    model=SimpleNamespace(windowed=True),
)


class Broken(MemoryConnection):
    """A line that breaks as soon as it is read."""

    def read(self, timeout: float) -> bytes:  # noqa: ARG002
        raise LineError("fake: the serial line broke")


class FakeBoard:
    """Each connection leads to the next of `devices`; the last of them stays. None is a line that breaks."""

    name = "fake"
    emulator = None

    def __init__(self, clock: FakeClock, *devices: FakeDevice | None) -> None:
        self.connected = 0
        self.said = ""
        self._clock = clock
        self._devices = devices

    def connect(self) -> MemoryConnection:
        device = self._devices[min(self.connected, len(self._devices) - 1)]
        self.connected += 1
        kind = Broken if device is None else MemoryConnection
        return kind(device or healthy(), self._clock)

    def flash(self, image: object) -> None:
        pass

    def trouble(self) -> str:
        return self.said


def healthy(misbehaviour: Misbehaviour | None = None) -> FakeDevice:
    return FakeDevice(IMAGE, checksum, misbehaviour)


class Bench:
    """A contact with a board, on a clock that only waiting moves."""

    def __init__(self, folder: Path, clock: FakeClock, devices: tuple[FakeDevice | None, ...]) -> None:
        self.board: Any = FakeBoard(clock, *devices)
        self._contact = Contact()
        self._folder = folder

    @contextmanager
    def session(self, flash: bool = False, build_id: bytes = IMAGE.build_id) -> Iterator[DeviceUnderTest]:
        firmware: Any = SimpleNamespace(**vars(FIRMWARE) | {"image": SimpleNamespace(build_id=build_id)})
        nothing: Any = None
        log = self._folder / "uart.log"
        with self._contact.connected(self.board, firmware, nothing, log, flash) as device:
            yield device

    def refusal(self, flash: bool = False, build_id: bytes = IMAGE.build_id) -> str:
        with pytest.raises(HilError) as caught, self.session(flash, build_id):
            pass
        return str(caught.value)


@pytest.fixture
def make_bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Bench]:
    clock = FakeClock()
    monkeypatch.setattr(contact, "Client", functools.partial(Client, clock=clock))
    monkeypatch.setattr(contact, "check_layout", lambda *_arguments: None)
    return lambda *devices: Bench(tmp_path, clock, devices)


def test_a_line_that_breaks_in_hello_is_tried_again(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(None, healthy())
    assert bench.refusal() == "fake: the serial line broke"
    with bench.session() as device:
        assert device.status().windows == 0


def test_a_line_that_breaks_again_and_again_is_not(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(None)
    assert [bench.refusal() for _ in range(3)] == ["fake: the serial line broke"] * 3
    assert bench.refusal() == "fake: the serial line broke (not tried again for gesture-int8)"
    assert bench.board.connected == 3


def test_a_device_that_never_answered_may_not_be_flashed_and_is_asked_once(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(healthy(Misbehaviour.SILENT))
    assert "is tflm-hil firmware flashed, and is this its port" in bench.refusal()
    assert bench.refusal().endswith("(not tried again for gesture-int8)")
    assert bench.board.connected == 1


def test_another_image_is_another_device_only_where_it_is_flashed(make_bench: Callable[..., Bench]) -> None:
    for flash, connections in ((False, 1), (True, 2)):
        bench = make_bench(healthy(Misbehaviour.SILENT))
        bench.refusal(flash)
        bench.refusal(flash, IMAGE.build_id[::-1])
        assert bench.board.connected == connections


@pytest.mark.parametrize("kind", [FaultKind.UNDEFINED, FaultKind.HANG])
def test_a_device_that_crashed_and_that_nothing_resets_has_to_be_reset_by_hand(
    make_bench: Callable[..., Bench], kind: FaultKind
) -> None:
    device = healthy()
    bench = make_bench(device)
    with bench.session() as opened:
        opened.client.fault(kind)
        with pytest.raises(DeviceError) as failure:
            opened.status()
    refusal = bench.refusal()
    assert refusal == (
        f"fake does not answer since it failed in the session before ({failure.value}), and nothing resets it from"
        " here: reset it by hand (its button, or its power), then run again"
    )
    assert bench.refusal() == f"{refusal} (not tried again for gesture-int8)"
    assert bench.board.connected == 2


def test_a_device_whose_emulator_fails_is_told_as_such_and_tried_again(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(healthy(Misbehaviour.SILENT), healthy())
    bench.board.said = "QEMU stands still"
    assert bench.refusal().endswith("(QEMU stands still)")
    with bench.session() as device:
        assert device.status().windows == 0


def test_an_emulator_that_fails_in_mid_session_is_told_as_such(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(healthy())
    with bench.session() as device:
        device.client.fault(FaultKind.HANG)
        bench.board.said = "QEMU stands still"
        with pytest.raises(DeviceError, match=r"is silent: no answer to request .* \(QEMU stands still\)$"):
            device.status()
