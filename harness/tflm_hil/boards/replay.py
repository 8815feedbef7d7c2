"""A board that was recorded with --hil-record-traffic: `--board=replay:FILE`."""

from collections.abc import Sequence
from pathlib import Path

from tflm_hil.boards.board import Board
from tflm_hil.boards.counters import CycleCounter
from tflm_hil.boards.protocols import Console, Counter
from tflm_hil.boards.qemu import board as qemu
from tflm_hil.boards.renode import board as renode
from tflm_hil.boards.spec import BoardSpec
from tflm_hil.device.connection import Connection
from tflm_hil.device.playback import PlaybackConnection
from tflm_hil.device.traffic import Head, Traffic, read_head, read_traffic
from tflm_hil.errors import HilError
from tflm_hil.firmware.image import FirmwareImage
from tflm_hil.progress import Say
from tflm_hil.targets import Target

_COUNTERS = {"qemu": qemu.counter, "renode": renode.counter}


class Recording:
    """The connections of a file, one after the other: every part of the board `name` that is not its counter."""

    persistent = False

    def __init__(self, name: str, file: Path) -> None:
        self._name = name
        self._file = file
        self._traffic: Traffic | None = None
        self._next = 0

    @property
    def link(self) -> str:
        """See Console."""
        return self._read().head.link

    def flash(self, image: FirmwareImage, say: Say) -> str:
        """See Flasher. Refuses an image that is not the recorded one."""
        del say
        head = self._read().head
        if bytes.fromhex(head.build_id) != image.build_id:
            recorded = f"{head.model}-{head.variant}-{head.engine}-{head.target}"
            raise HilError(
                f"{self._name}: build {head.build_id[:12]} of {recorded} was recorded, and this is build"
                f" {image.build_id.hex()[:12]}: choose that model, check out the sources that it was built from, or"
                f" look at the file with `hil monitor {self._file}`"
            )
        return "it was recorded"

    def boot(self, console: Console) -> Connection:
        """See Reset."""
        return console.open()

    def open(self) -> Connection:
        """See Console."""
        connections = self._read().connections
        if self._next >= len(connections):
            raise HilError(
                f"{self._name}: when this was recorded, the board was connected {len(connections)} times, and it would"
                f" be connected once more now: {'run what was run then' if connections else 'record the traffic again'}"
            )
        self._next += 1
        return PlaybackConnection(connections[self._next - 1], self._name)

    def close(self) -> None:
        """See Console."""

    def trouble(self) -> str:
        """See Lease."""
        return ""

    def release(self) -> None:
        """See Lease."""

    def _read(self) -> Traffic:
        if self._traffic is None:
            self._traffic = read_traffic(self._file)
        return self._traffic


class ReplayKind:
    """Boards that were recorded; see BoardKind."""

    def check(self, spec: BoardSpec, targets: Sequence[Target]) -> str | None:
        """See BoardKind."""
        if spec.options:
            raise HilError(f"board {spec.text}: a file of traffic has no options")
        if not spec.address:
            raise HilError(f"board {spec.text}: names no file; add one that --hil-record-traffic made")
        head = read_head(Path(spec.address))
        if [target.name for target in targets] != [head.target]:
            raise HilError(f"board {spec.text}: a {head.target} was recorded; add --hil-target={head.target}")
        return head.emulator

    def links(self, spec: BoardSpec) -> Sequence[str]:
        """See BoardKind."""
        return (read_head(Path(spec.address)).link,)

    def processes(self, _spec: BoardSpec) -> int:
        """See BoardKind."""
        return 1

    def open(self, spec: BoardSpec, targets: Sequence[Target], _run_dir: Path, _say: Say) -> Board:
        """See BoardKind."""
        (target,) = targets
        file = Path(spec.address)
        head = read_head(file)
        recording = Recording(spec.text, file)
        return Board(
            spec.text,
            head.emulator,
            console=recording,
            reset=recording,
            flasher=recording,
            counter=_counter(spec.text, head, target),
            lease=recording,
        )


def _counter(name: str, head: Head, target: Target) -> Counter:
    """What the ticks meant on the board that was recorded."""
    emulator = (head.emulator or "").partition(" ")[0]
    return _COUNTERS[emulator](name, lambda: target) if emulator in _COUNTERS else CycleCounter(target.core)
