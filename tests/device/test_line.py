"""Timeouts that follow the line, lost retries, devices that refuse everything, floods, and streams that never end."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.device_helpers import Bench, FakeClock, bench, check_windows, checksum, recording
from support.fake_device import NAK, FakeDevice, Image
from support.fake_framing import frame
from tflm_hil.device.client import Client
from tflm_hil.device.link import MOST_EVENTS, EventKind
from tflm_hil.device.round_trip import FLOOR_S, RoundTrip
from tflm_hil.device.uart_log import UartLog
from tflm_hil.errors import DeviceError, HilError


def test_timeouts_follow_rfc_6298() -> None:
    line = RoundTrip(2.0)
    assert line.timeout == 2.0
    line.measured(0.4)
    assert line.smoothed == 0.4
    assert line.timeout == pytest.approx(0.4 + 4 * 0.2)
    line.measured(0.8)
    # RTTVAR = 3/4 * 0.2 + 1/4 * |0.4 - 0.8|, and only then SRTT = 7/8 * 0.4 + 1/8 * 0.8.
    assert line.smoothed == pytest.approx(0.45)
    assert line.timeout == pytest.approx(0.45 + 4 * 0.25)
    line.expired()
    assert line.timeout == 2.0
    line.answered()
    assert line.timeout == pytest.approx(1.45)
    for _ in range(200):
        line.measured(0.001)
    assert line.timeout == FLOOR_S
    line.expired()
    line.expired()
    assert line.timeout == 4 * FLOOR_S


class TimedLine:
    """A full-duplex line of `rate` bytes/s and a delay of `delay` seconds each way. Only reading advances the clock.

    Each byte is damaged with the probability `faults`; the same seed damages the same bytes.
    """

    def __init__(
        self, device: FakeDevice, clock: FakeClock, rate: float, delay: float, faults: float = 0.0, seed: int = 0
    ) -> None:
        self.sent_bytes = 0
        self._device = device
        self._clock = clock
        self._rate = rate
        self._delay = delay
        self._faults = faults
        self._dice = random.Random(seed)
        self._free = [0.0, 0.0]
        self._arriving: list[tuple[float, bytes]] = []

    def write(self, data: bytes) -> None:
        self.sent_bytes += len(data)
        for piece in data.split(b"\0"):
            at = self._carry(0, piece + b"\0", self._clock.now)
            if answer := self._device.feed(self._damaged(piece) + b"\0"):
                arrival = self._carry(1, answer, at)
                self._arriving.append((arrival, b"".join(self._damaged(wire) + b"\0" for wire in answer.split(b"\0"))))

    def read(self, timeout: float) -> bytes:
        if not self._arriving or self._arriving[0][0] > self._clock.now + timeout:
            self._clock.now += timeout
            return b""
        at, data = self._arriving.pop(0)
        self._clock.now = max(self._clock.now, at)
        return data

    def close(self) -> None:
        pass

    def _carry(self, way: int, data: bytes, start: float) -> float:
        self._free[way] = max(self._free[way], start) + len(data) / self._rate
        return self._free[way] + self._delay

    def _damaged(self, wire: bytes) -> bytes:
        if not self._faults:
            return wire
        return bytes(b ^ 1 << self._dice.randrange(8) if self._dice.random() < self._faults else b for b in wire)


def timed(tmp_path: Path, line: TimedLine, device: FakeDevice, clock: FakeClock) -> Bench:
    log = UartLog(tmp_path / "uart.log", clock)
    return Bench(device, Client(line, log, clock=clock), line, line, clock, log)  # type: ignore[arg-type]


def stream_over(
    tmp_path: Path, rows: int, rate: float, delay: float, faults: float, credits_: int, seed: int = 0
) -> tuple[Bench, TimedLine]:
    clock = FakeClock()
    device = FakeDevice(Image(credits=credits_), checksum)
    line = TimedLine(device, clock, rate, delay, faults, seed)
    b = timed(tmp_path, line, device, clock)
    b.client.hello()
    samples = recording(rows, seed=seed)
    check_windows(b.client.stream(samples), samples, device.image)
    assert device.executed == [seq & 0xFFFF for seq in range(1, len(device.executed) + 1)]
    return b, line


@pytest.mark.parametrize("seed", range(3))
def test_a_line_that_damages_one_byte_in_a_thousand_is_still_used_well(tmp_path: Path, seed: int) -> None:
    rate = 11_520
    b, _ = stream_over(tmp_path, 12_000, rate, 0.001, 1e-3, 4, seed)
    assert b.client.link.retried > 50
    # Requests and answers have the same size here. A timeout of 2 s for each lost retry would use 1 % of the line.
    assert 12_000 * 6 / (b.clock.now * rate) > 0.15


@settings(derandomize=True, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rate=st.sampled_from([5_760, 11_520, 92_160]),
    delay=st.sampled_from([0.0, 0.001, 0.016]),
    faults=st.sampled_from([0.0, 1e-4, 1e-3, 2e-3]),
    credits_=st.integers(1, 16),
    seed=st.integers(0, 2**32),
)
def test_every_window_is_counted_once_whatever_the_line(
    tmp_path: Path, rate: float, delay: float, faults: float, credits_: int, seed: int
) -> None:
    b, _ = stream_over(tmp_path, 300, rate, delay, faults, credits_, seed)
    if not faults:
        assert b.client.link.events == []


@pytest.mark.nightly
@pytest.mark.parametrize("credits_", [4, 16])
def test_a_hundred_thousand_windows_over_a_bad_line(tmp_path: Path, credits_: int) -> None:
    b, _ = stream_over(tmp_path, 200_002, 46_080, 0.001, 1e-3, credits_)
    assert b.client.status().windows == 100_000


@pytest.mark.parametrize("rate", [11_520.0, 46_080.0, 92_160.0])
@pytest.mark.parametrize("delay", [0.0, 0.001, 0.016])
def test_sixteen_credits_fill_every_line_however_late_it_delivers(tmp_path: Path, rate: float, delay: float) -> None:
    b, line = stream_over(tmp_path, int(rate / 5), rate, delay, 0.0, 16)
    assert line.sent_bytes / (b.clock.now * rate) > 0.9


def test_four_credits_do_not_fill_a_fast_line_behind_a_slow_bridge(tmp_path: Path) -> None:
    b, line = stream_over(tmp_path, 4_000, 92_160, 0.008, 0.0, 4)
    assert line.sent_bytes / (b.clock.now * 92_160) < 0.6


def test_a_lost_retry_costs_a_round_trip_and_no_timeout(tmp_path: Path) -> None:
    clock = FakeClock()
    device = FakeDevice(Image(credits=4), checksum)
    line = TimedLine(device, clock, 11_520, 0.001)
    b = timed(tmp_path, line, device, clock)
    b.client.hello()
    samples = recording(2000)
    b.client.stream(samples)
    whole, feed, lost = clock.now, device.feed, 0

    def lossy(data: bytes) -> bytes:
        """Lose request 20 of the second stream three times."""
        nonlocal lost
        if len(device.executed) == executed + 20 and len(data) > 100 and lost < 3 and data not in seen[:1]:
            seen.append(data)
            lost += 1
            return feed(b"\x05garbage\0")
        return feed(data)

    executed, seen = len(device.executed), list[bytes]()
    device.feed = lossy  # type: ignore[method-assign]
    check_windows(b.client.stream(samples), samples, device.image)
    assert lost == 3
    assert EventKind.TIMEOUT not in {event.kind for event in b.client.link.events}
    assert clock.now < 2 * whole + 1.0


@pytest.mark.parametrize(
    ("reason", "words"), [(1, "it received a damaged frame"), (2, "it expects request #1"), (9, "it received")]
)
def test_a_device_that_answers_everything_with_nak_is_not_called_silent(
    tmp_path: Path, reason: int, words: str
) -> None:
    b = bench(tmp_path)
    b.client.hello()
    b.device._packet = lambda type_, seq, body: frame(NAK, 0, bytes([1, 0, reason]))  # type: ignore[method-assign]  # noqa: ARG005
    with pytest.raises(DeviceError, match=rf"^the device answers every request with NAK, \d+ times .*: {words}"):
        b.client.status()
    assert b.clock.now < 10


class Endless:
    """A line on which the same bytes arrive every `every` seconds, without end, whatever is sent."""

    def __init__(self, clock: FakeClock, data: bytes, every: float) -> None:
        self.data = data
        self._clock = clock
        self._every = every

    def read(self, timeout: float) -> bytes:
        self._clock.now += min(self._every, timeout)
        return self.data if self._every <= timeout else b""

    def write(self, data: bytes) -> None:
        pass

    def close(self) -> None:
        pass


def test_a_flood_is_named_and_fills_neither_memory_nor_disk(tmp_path: Path) -> None:
    b = bench(tmp_path)
    b.client.hello()
    b.client._link._connection = Endless(b.clock, b"\x05no\0" * 50, 0.01)
    with pytest.raises(DeviceError, match=r"^the device floods the line: [\d,]+ damaged frames and no answer to requ"):
        b.client.status()
    assert b.clock.now < 5
    assert len(b.client.link.events) <= MOST_EVENTS
    assert b.client.link.faults > 5000
    b.log.close()
    assert b.log.path.stat().st_size < 5 << 20


def test_a_device_that_always_answers_just_in_time_is_given_up(tmp_path: Path) -> None:
    clock = FakeClock()
    device = FakeDevice(Image(credits=1), checksum)
    line = TimedLine(device, clock, 92_160, 0.9)
    b = timed(tmp_path, line, device, clock)
    b.client.hello()
    with pytest.raises(
        DeviceError, match=r"^the device is too slow: \d+ s for \d+ answers and [\d,]+ bytes; the size and 0\.0 s"
    ):
        b.client.stream(recording(40_000))
    assert clock.now < 60


def test_time_in_which_the_harness_was_stopped_does_not_count(tmp_path: Path) -> None:
    b = bench(tmp_path)
    b.client.hello()
    read = b.line.read

    def stopped(timeout: float) -> bytes:
        b.clock.now += 1000
        return read(timeout)

    b.line.read = stopped  # type: ignore[method-assign]
    samples = recording(400)
    check_windows(b.client.stream(samples), samples, b.device.image)


def failure(ask: Callable[[], object]) -> str:
    try:
        ask()
    except HilError as error:
        return str(error)
    return ""


@settings(derandomize=True, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=st.data())
def test_no_bytes_of_a_device_hang_the_client_or_break_it(tmp_path: Path, drawn: st.DataObject) -> None:
    """Try frames of all types with valid CRCs and any bodies, and plain garbage, before and within a session."""
    answers = st.one_of(
        st.binary(max_size=40),
        st.builds(
            frame,
            st.sampled_from([*range(0x80, 0x8E), *range(0xF0, 0xF5), 0xFF, 0x03]),
            st.integers(0, 20),
            st.binary(max_size=60),
        ),
    )
    image = Image(window=0, stride=0, channels=0, inputs=(Image().inputs[0],) * 30, debug=True)
    b = bench(tmp_path, drawn.draw(st.sampled_from([Image(), image])), retries=1)
    feed, honest = b.device.feed, drawn.draw(st.integers(0, 6))

    def hostile(data: bytes) -> bytes:
        nonlocal honest
        honest -= 1
        return feed(data) if honest >= 0 else drawn.draw(answers)

    b.device.feed = hostile  # type: ignore[method-assign]
    asked: list[Callable[[], object]] = [
        b.client.hello,
        b.client.status,
        lambda: b.client.stream(recording(100)),
        lambda: b.client.infer([bytes(12)] * 30),
        lambda: b.client.tensor(1),
        lambda: b.client.echo(bytes(2000)),
        b.client.reset,
    ]
    for ask in [b.client.hello, drawn.draw(st.sampled_from(asked))]:
        before = b.clock.now
        assert "\n" not in failure(ask)
        assert b.clock.now - before < 60
