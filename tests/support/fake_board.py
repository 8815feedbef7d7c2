"""A fake board: a process behind a pseudo-terminal whose inferences run on TensorFlow Lite Micro on the host.

    python tests/support/fake_board.py --model gesture --variant int8 --build-id HEX [--event crash@20000 ...]

prints the path of the terminal and serves it until standard input ends or the process is killed; `pytest --board=PATH
--hil-flash=never` runs the suite against it. The board claims to run the image with the given build id. Its latencies
are invented.

Events happen when the host has sent so many bytes: reset, crash (reported, then a reset), hang, stall=SECONDS,
leave=SECONDS (the terminal goes and comes back), unplug (for good), swap (a reset into another image), noise=RATE (of
damaged bytes, from now on).
"""

from __future__ import annotations

import argparse
import os
import select
import subprocess
import sys
import time
import tty
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tflm_hil.errors import HilError
from tflm_hil.models import tflite_file
from tflm_hil.models.manifest import Model, load_models
from tflm_hil.models.preprocess import prepare
from tflm_hil.models.reference import Reference

from support.bad_line import Damage, Event, Events, Pace
from support.fake_device import FakeDevice, Image, Infer, Misbehaviour, Tensor

ROOT = Path(__file__).parents[2]


def image_of(model: Model, variant: str, build_id: bytes) -> Image:
    """Return the description that the firmware would give of itself."""
    graph = tflite_file.read(model.variants[variant].path)

    def tensor(index: int) -> Tensor:
        tensor = graph.tensors[index]
        quantized = len(tensor.scales) > 0
        return Tensor(
            int(tensor.type),
            tuple(tensor.shape),
            float(tensor.scales[0]) if quantized else 0.0,
            int(tensor.zero_points[0]) if quantized else 0,
        )

    return Image(
        window=model.window,
        stride=model.stride,
        channels=len(model.channels),
        inputs=tuple(tensor(index) for index in graph.inputs),
        outputs=tuple(tensor(index) for index in graph.outputs),
        build_id=build_id,
        model_hash=model.variants[variant].sha256[:8],
        credits=16,
    )


def inference_of(model: Model, variant: str) -> Infer:
    reference = Reference(model.variants[variant].path)

    def infer(window: NDArray[np.int16]) -> bytes:
        return reference.run(
            prepare(window[np.newaxis], model.channels, reference.input_quantization, model.layout)
        ).tobytes()

    return infer


class Terminal:
    """A pseudo-terminal; with `link`, that name leads to it, also after it was plugged in again.

    Both ends stay open, so it outlives its users.
    """

    def __init__(self, link: Path | None) -> None:
        self._link = link
        self.plug()

    @property
    def name(self) -> str:
        """What the host opens."""
        return str(self._link or os.ttyname(self._slave))

    def plug(self) -> None:
        """Become another terminal."""
        self.master, self._slave = os.openpty()
        tty.setraw(self._slave)
        if self._link is not None:
            self._link.unlink(missing_ok=True)
            self._link.symlink_to(os.ttyname(self._slave))

    def unplug(self) -> None:
        """Be gone."""
        if self._link is not None:
            self._link.unlink()  # or it would lead to the next terminal of that number, somebody else's
        os.close(self._slave)
        os.close(self.master)


class Server:
    """Serves `device` on `terminal` until standard input ends. `rate` is in bytes/s, `delay` in seconds each way."""

    def __init__(self, device: FakeDevice, terminal: Terminal, events: Events, rate: float, delay: float) -> None:
        self._device = device
        self._terminal = terminal
        self._events = events
        self._inward, self._outward = Pace(rate, delay), Pace(rate, delay)
        self._damage = [Damage(0.0, seed) for seed in (1, 2)]

    def run(self) -> None:
        """Serve."""
        self._outward.put(self._device.boot(), time.monotonic())
        while True:
            due = [at for pace in (self._inward, self._outward) if (at := pace.next()) is not None]
            timeout = max(0.0, min(due) - time.monotonic()) if due else None
            readable, _, _ = select.select([self._terminal.master, sys.stdin], [], [], timeout)
            if sys.stdin in readable:
                return
            if self._terminal.master in readable:
                received = os.read(self._terminal.master, 4096)
                self._inward.put(received, time.monotonic())
                for event in self._events.due(len(received)):
                    self._happens(event)
            self._outward.put(self._device.feed(self._damage[0](self._inward.take(time.monotonic()))), time.monotonic())
            self._send(self._damage[1](self._outward.take(time.monotonic())))

    def _send(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._terminal.master, data) :]

    def _happens(self, event: Event) -> None:
        now = time.monotonic()
        if event.action == "reset":
            self._outward.put(self._device.boot(cause=2), now)
        elif event.action == "crash":
            self._outward.put(self._device.crash(), now)
        elif event.action == "hang":
            self._device.hang()
        elif event.action == "stall":
            time.sleep(event.argument)
        elif event.action == "leave":
            self._terminal.unplug()
            time.sleep(event.argument)
            self._terminal.plug()
            self._outward.put(self._device.boot(), now)
        elif event.action == "unplug":
            self._terminal.unplug()
            sys.stdin.read()
            sys.exit()
        elif event.action == "swap":
            self._device.image = replace(self._device.image, build_id=self._device.image.build_id[::-1])
            self._outward.put(self._device.boot(cause=2), now)
        elif event.action == "noise":
            self._damage = [Damage(event.argument, seed) for seed in (1, 2)]
        else:
            raise ValueError(f"unknown action {event.action}")


@contextmanager
def running(
    model: str,
    variant: str,
    build_id: bytes,
    misbehave: Misbehaviour | None = None,
    events: Sequence[str] = (),
    link: Path | None = None,
    rate: float = 0.0,
    delay: float = 0.0,
) -> Iterator[str]:
    """Start a fake board in a separate process; yield the path of its terminal, or `link`, which leads to it."""
    argv = [sys.executable, __file__, "--model", model, "--variant", variant, "--build-id", build_id.hex()]
    argv += ["--rate", str(rate), "--delay", str(delay)]
    argv += [word for event in events for word in ("--event", event)]
    if misbehave is not None:
        argv += ["--misbehave", misbehave]
    if link is not None:
        argv += ["--link", str(link)]
    paths = [str(ROOT / "tests"), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.stdin.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--variant", required=True)
    parser.add_argument("--build-id", required=True, type=bytes.fromhex, metavar="HEX")
    parser.add_argument("--misbehave", type=Misbehaviour, choices=list(Misbehaviour))
    parser.add_argument(
        "--event", type=Event.parse, action="append", default=[], metavar="ACTION[=NUMBER]@BYTES[/MORE]"
    )
    parser.add_argument("--link", type=Path)
    parser.add_argument("--rate", type=float, default=0.0, help="bytes/s in each direction")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds each way")
    options = parser.parse_args()
    if len(options.build_id) != 20:
        parser.error("a build id has 20 bytes")
    try:
        model = load_models(ROOT)[options.model]
        image = image_of(model, options.variant, options.build_id)
        device = FakeDevice(image, inference_of(model, options.variant), options.misbehave)
    except (HilError, KeyError) as error:
        parser.error(str(error))
    terminal = Terminal(options.link)
    print(terminal.name, flush=True)
    Server(device, terminal, Events(options.event), options.rate, options.delay).run()


if __name__ == "__main__":
    main()
