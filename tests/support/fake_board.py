"""A fake board: a process behind a pseudo-terminal whose inferences run on TensorFlow Lite Micro on the host.

    python tests/support/fake_board.py --model gesture --variant int8 --build-id HEX [--misbehave crash] [--leaves LINK]

prints the path of the terminal and serves it until standard input ends or the process is killed; `pytest --board=PATH
--hil-flash=never` runs the suite against it. The board claims to run the image with the given build id. Its latencies
are invented.
"""

from __future__ import annotations

import argparse
import os
import select
import subprocess
import sys
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tflm_hil.errors import HilError
from tflm_hil.models import tflite_file
from tflm_hil.models.manifest import Model, load_models
from tflm_hil.models.preprocess import prepare
from tflm_hil.models.reference import Reference

from support.fake_device import FakeDevice, Image, Infer, Misbehaviour, Tensor

ROOT = Path(__file__).parents[2]

BYTES_BEFORE_LEAVING = 10_000
"""The number of bytes that a leaving board receives before it leaves."""


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
        credits=8,
    )


def inference_of(model: Model, variant: str) -> Infer:
    reference = Reference(model.variants[variant].path)

    def infer(window: NDArray[np.int16]) -> bytes:
        return reference.run(
            prepare(window[np.newaxis], model.channels, reference.input_quantization, model.layout)
        ).tobytes()

    return infer


def plug(link: Path | None) -> tuple[int, int]:
    """Return both ends of a new terminal; `link` leads to the second one from now on."""
    master, slave = os.openpty()
    tty.setraw(slave)
    if link is not None:
        link.unlink(missing_ok=True)
        link.symlink_to(os.ttyname(slave))
    return master, slave


def serve(device: FakeDevice, link: Path | None = None) -> None:
    """Serve until standard input ends. Both ends of the terminal stay open, so it outlives its users.

    With `link`, the board has that name, disappears once in the middle of a session and comes back at once.
    """
    master, slave = plug(link)
    print(link or os.ttyname(slave), flush=True)
    os.write(master, device.boot())
    until_it_leaves = None if link is None else BYTES_BEFORE_LEAVING
    while True:
        readable, _, _ = select.select([master, sys.stdin], [], [])
        if sys.stdin in readable:
            return
        received = os.read(master, 4096)
        if until_it_leaves is not None and (until_it_leaves := until_it_leaves - len(received)) < 0:
            until_it_leaves = None
            os.close(slave)
            os.close(master)
            master, slave = plug(link)
            os.write(master, device.boot())
            continue
        answer = device.feed(received)
        while answer:
            answer = answer[os.write(master, answer) :]


@contextmanager
def running(
    model: str, variant: str, build_id: bytes, misbehave: Misbehaviour | None = None, leaves: Path | None = None
) -> Iterator[str]:
    """Start a fake board in a separate process; yield the path of its terminal, or `leaves`, a link to it.

    A leaving board disappears once, and then its link leads to another terminal.
    """
    argv = [sys.executable, __file__, "--model", model, "--variant", variant, "--build-id", build_id.hex()]
    if misbehave is not None:
        argv += ["--misbehave", misbehave]
    if leaves is not None:
        argv += ["--leaves", str(leaves)]
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
    parser.add_argument("--leaves", type=Path, metavar="LINK")
    options = parser.parse_args()
    if len(options.build_id) != 20:
        parser.error("a build id has 20 bytes")
    try:
        model = load_models(ROOT)[options.model]
        image = image_of(model, options.variant, options.build_id)
        device = FakeDevice(image, inference_of(model, options.variant), options.misbehave)
    except (HilError, KeyError) as error:
        parser.error(str(error))
    serve(device, options.leaves)


if __name__ == "__main__":
    main()
