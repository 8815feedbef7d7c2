"""Traffic: what is recorded is read again, and a recorded device answers as it did then."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.device_helpers import FakeClock, MemoryConnection, check_windows, checksum, recording, swapped
from support.fake_device import FakeDevice, Image, Misbehaviour
from support.lossy_connection import LossyConnection, at_random
from tflm_hil.device.client import Client
from tflm_hil.device.connection import Connection
from tflm_hil.device.playback import PlaybackConnection
from tflm_hil.device.traffic import Entry, Head, Traffic, TrafficLog, read_head, read_traffic
from tflm_hil.device.uart_log import UartLog
from tflm_hil.errors import DeviceError, HilError, LineError

HEAD = Head(
    created="2026-01-01T00:00:00+0000",
    board="/dev/ttyACM0",
    emulator=None,
    link="uart",
    model="m",
    variant="int8",
    engine="aot",
    target="stm32f4",
    build_id="00" * 20,
)
BYTES = st.binary(min_size=1, max_size=40).map(bytes.hex)
ENTRIES = st.one_of(
    st.builds(Entry, st.floats(0, 1e6), st.sampled_from(["<", ">"]), BYTES),
    st.builds(Entry, st.floats(0, 1e6), st.just("broke"), st.text()),
)


def write(path: Path, connections: list[list[Entry]]) -> None:
    with TrafficLog(path, HEAD, lambda: 0.0) as log:
        for entries in connections:
            log.add("open")
            for entry in entries:
                log._write(entry)


@settings(max_examples=30)
@given(connections=st.lists(st.lists(ENTRIES, max_size=8), max_size=4))
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, connections: list[list[Entry]]) -> None:
    path = tmp_path_factory.getbasetemp() / "any.traffic"
    write(path, connections)
    assert read_traffic(path) == Traffic(HEAD, connections)
    assert read_head(path) == HEAD


@settings(max_examples=100)
@given(
    content=st.one_of(
        st.binary(max_size=200),
        st.lists(
            st.one_of(
                st.just(json.dumps({name: getattr(HEAD, name) for name in HEAD.__struct_fields__}).encode()),
                st.sampled_from([b'[0, "open"]', b'[0, "<", "0"]', b'[0, "<", "zz"]', b'[0, "no"]', b"[1e999]", b"{}"]),
                st.binary(max_size=20),
            )
        ).map(b"\n".join),
    )
)
def test_nonsense_is_told_in_one_line_of_its_file(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "nonsense.traffic"
    path.write_bytes(content)
    for read in (read_head, read_traffic):
        try:
            read(path)
        except HilError as error:
            assert str(error).startswith(f"{path}: ")  # noqa: PT017
            assert "\n" not in str(error)  # noqa: PT017


def test_a_file_of_another_version_is_told(tmp_path: Path) -> None:
    path = tmp_path / "old.traffic"
    write(path, [])
    path.write_text(path.read_text().replace("hil-traffic/1", "hil-traffic/9"))
    with pytest.raises(HilError, match=r"recorded as hil-traffic/9, this harness reads hil-traffic/1"):
        read_traffic(path)


@pytest.mark.parametrize(("key", "value"), [("build_id", "zz" * 20), ("build_id", "000"), ("link", "usb")])
def test_a_head_that_makes_no_sense_is_told(tmp_path: Path, key: str, value: str) -> None:
    path = tmp_path / "damaged.traffic"
    path.write_text(json.dumps({**msgspec.structs.asdict(HEAD), key: value}) + "\n")
    for read in (read_head, read_traffic):
        with pytest.raises(HilError, match=rf"damaged.traffic: no recorded traffic: .* - at `\$.{key}`; make one"):
            read(path)


def test_a_run_that_was_killed_leaves_what_it_had_beside_an_earlier_file(tmp_path: Path) -> None:
    path = tmp_path / "run.traffic"
    write(path, [[Entry(0.0, "<", "01")]])
    log = TrafficLog(path, HEAD, lambda: 0.0)
    log.add("open")
    log.add("<", "02")
    log._file.write('[0.0,"<","03')  # type: ignore[union-attr]
    assert read_traffic(path).connections == [[Entry(0.0, "<", "01")]]
    log._file.flush()  # type: ignore[union-attr]
    assert read_traffic(tmp_path / "run.traffic.part").connections == [[Entry(0.0, "<", "02")]]


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    (tmp_path / "run.traffic.part").symlink_to("/dev/full")
    with pytest.raises(HilError, match=r"run.traffic: cannot record the traffic: No space left on device"):
        TrafficLog(tmp_path / "run.traffic", HEAD)


class Session:
    """A client on a line whose traffic is recorded, and the client that meets the recording afterwards."""

    def __init__(self, folder: Path, line: Connection, clock: FakeClock) -> None:
        self._path, self._folder, self._clock = folder / "session.traffic", folder, clock
        self._log = TrafficLog(self._path, HEAD, clock)
        self.client = self._client(self._log.recorded(line))

    def played_back(self) -> Client:
        self._log.close()
        (entries,) = read_traffic(self._path).connections
        return self._client(PlaybackConnection(entries, "replay:F", self._pass))

    def _client(self, connection: Connection) -> Client:
        log = UartLog(self._folder / "uart.log", self._clock)
        return Client(connection, log, timeout=1.0, retries=20, clock=self._clock)

    def _pass(self, seconds: float) -> None:
        self._clock.now += seconds


def session(folder: Path, misbehaviour: Misbehaviour | None = None, seed: int = 0, rate: float = 0.0) -> Session:
    clock = FakeClock()
    line: Connection = MemoryConnection(FakeDevice(Image(), checksum, misbehaviour, swapped), clock)
    return Session(folder, LossyConnection(line, at_random(seed, rate)) if rate else line, clock)


@settings(max_examples=40)
@given(seed=st.integers(0, 1 << 32), rate=st.sampled_from([0.0, 0.02, 0.2]), rows=st.integers(0, 400))
def test_over_a_bad_line_the_recording_answers_what_the_device_did(
    tmp_path_factory: pytest.TempPathFactory, seed: int, rate: float, rows: int
) -> None:
    first = session(tmp_path_factory.getbasetemp(), seed=seed, rate=rate)
    samples = recording(rows, seed=seed)
    for again in (False, True):
        client = first.played_back() if again else first.client
        client.hello()
        check_windows(client.stream(samples), samples, Image())
        assert client.status().windows == len(samples[Image().window - 1 :: Image().stride])


def test_a_host_with_fewer_requests_in_flight_than_then_gets_its_answers(tmp_path: Path) -> None:
    first, samples = session(tmp_path, seed=1, rate=0.1), recording(400)
    first.client.hello()
    first.client.stream(samples)
    client = first.played_back()
    client.hello()
    client._open[1]._credits = 1
    client._open[1]._window = 1.0
    check_windows(client.stream(samples), samples, Image())


def test_sessions_on_one_connection_and_raw_bytes_are_played_back(tmp_path: Path) -> None:
    first = session(tmp_path)

    def use(client: Client) -> None:
        for _ in range(2):
            assert client.hello().build_id == Image().build_id
            assert client.echo(bytes(range(256)) * 2) == bytes(range(256)) * 2
            assert client.status().windows == 0
            client.reset()

    use(first.client)
    use(first.played_back())


@pytest.mark.parametrize(
    "misbehaviour", [Misbehaviour.REBOOT, Misbehaviour.CRASH, Misbehaviour.HANG, Misbehaviour.LEAVE]
)
def test_a_failure_is_played_back(tmp_path: Path, misbehaviour: Misbehaviour) -> None:
    first, said = session(tmp_path, misbehaviour), []
    for again in (False, True):
        client = first.played_back() if again else first.client
        client.hello()
        with pytest.raises(DeviceError) as caught:
            client.stream(recording(1000))
        said.append(re.sub(r"sent \d+ times in .* s", "", str(caught.value)))
    assert said[0] == said[1]


def test_a_request_that_differs_is_told_with_its_number(tmp_path: Path) -> None:
    first, samples = session(tmp_path), recording(100)
    first.client.hello()
    first.client.stream(samples)
    first.client.status()
    changed = samples.copy()
    changed[41, 1] ^= 0x0100
    for feed, complaint in (
        (changed, "request #3 SAMPLES differs from the recording, which has 0x.. at byte 3, not 0x.."),
        (samples[:-1], r"request #4 SAMPLES differs from the recording, which has \d+ bytes, not \d+"),
    ):
        client = first.played_back()
        client.hello()
        with pytest.raises(HilError, match=rf"^replay:F: {complaint}: run what was run then, with the same files$"):
            client.stream(feed)
    client = first.played_back()
    client.hello()
    with pytest.raises(
        HilError, match=r"^replay:F: request #1 STATUS differs from the recording, which has #1 BEGIN: "
    ):
        client.status()
    client = first.played_back()
    client.hello()
    client.stream(samples)
    client.status()
    with pytest.raises(
        HilError, match=r"^replay:F: the recording ends before request #6 STATUS: run what was run then"
    ):
        client.status()


def test_a_line_that_broke_breaks_again_after_its_last_byte() -> None:
    line = PlaybackConnection([Entry(0.0, "<", "0102"), Entry(0.1, "broke", "gone")], "replay:F", lambda _: None)
    assert line.read(0.0) == b"\x01\x02"
    with pytest.raises(LineError, match="gone"):
        line.read(0.0)
