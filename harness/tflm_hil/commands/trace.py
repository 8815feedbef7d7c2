"""Where a network goes wrong: every operator of the device held against the same operator of the reference."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflm_hil.boards.board import Board
from tflm_hil.checks.tensors import Difference, compare_tensor
from tflm_hil.checks.tolerance import Tolerance, tolerances
from tflm_hil.commands.sample import Sample
from tflm_hil.errors import DeviceError, HilError, RefusedError
from tflm_hil.firmware.image_kind import ImageKind
from tflm_hil.lab.build import Firmware
from tflm_hil.lab.dut import DeviceUnderTest, Progress, silent
from tflm_hil.lab.options import Flash
from tflm_hil.lab.session import Session
from tflm_hil.models.folding import fold
from tflm_hil.models.preprocess import Quantization, prepare
from tflm_hil.models.reference import Reference
from tflm_hil.models.stimuli import Stimulus
from tflm_hil.models.tflite_file import Operator, Tensor
from tflm_hil.progress import Say
from tflm_hil.progress import silent as unsaid
from tflm_hil.recordings import Recording
from tflm_hil.recordings.windows import windows


@dataclass(frozen=True)
class Layer:
    """One tensor as the device computed it. `operator` is None for an input of the network.

    `difference` is None where it equals the reference's, and also where the device does not keep it (not `kept`).
    """

    operator: Operator | None
    tensor: Tensor
    kept: bool
    difference: Difference | None

    @property
    def name(self) -> str:
        """E.g. `operator 2 (FULLY_CONNECTED)`."""
        return f"operator {self.operator.index} ({self.operator.kind})" if self.operator else "the network's input"


@dataclass(frozen=True)
class Trace:
    """One inference of the debug image, tensor by tensor in the order of execution."""

    sample: str
    layers: list[Layer]

    @property
    def first(self) -> Layer | None:
        """The first that differs from the reference."""
        return next((layer for layer in self.layers if layer.difference), None)

    def __str__(self) -> str:
        last = self.layers.index(self.first) if self.first else len(self.layers)
        unseen = [layer.name for layer in self.layers[:last] if not layer.kept]
        if self.first is None:
            said = f"on {self.sample} every operator computes what the reference computes"
        else:
            tensor = self.first.tensor
            said = (
                f"on {self.sample} the first to differ is {self.first.name}, tensor {tensor.index} {tensor.name!r}: "
                f"{self.first.difference}"
            )
        return said + (f" (the device does not show {', '.join(unseen)})" if unseen else "")


def trace(
    session: Session,
    board: Board,
    firmware: Firmware,
    sample: Sample,
    log: Path,
    progress: Progress = silent,
    say: Say = unsaid,
) -> Trace:
    """Build the debug image beside `firmware`, bring it onto `board`, run it on `sample` and fetch every tensor.

    `say` is told of building and flashing.

    Raises:
        HilError: the image cannot be built (it may not fit the target, as no memory is shared) or brought onto the
            board.
        DeviceError: the device does not do what it should.
    """
    debug = session.firmware(firmware, ImageKind.DEBUG, say)
    reference = session.reference(firmware.variant.path)
    with session.connected(board, debug, log, progress, say) as device:
        inputs = _run(device, reference, sample.data)
        return Trace(sample.name, list(_layers(device, reference, inputs, progress)))


def explain(
    session: Session, board: Board, firmware: Firmware, sample: Sample, log: Path, progress: Progress = silent
) -> list[str]:
    """Why the answer to `sample` is wrong: lines for people, which also say where no operator can be named."""
    command = firmware.command("trace", sample.arguments)
    try:
        if session.options.flash is Flash.NEVER:
            image = session.firmware(firmware, ImageKind.DEBUG).image.bin
            return [f"to see the operator, write {image} to the board, then: {command} --board {board.name}"]
        found = trace(session, board, firmware, sample, log, progress)
    except HilError as error:
        return [f"no operator can be named: {error}"]
    lines = [f"{found}", f"operator by operator: {command}"]
    if found.first is None:
        lines.insert(
            1, "what is wrong shows only where tensors share memory or operators are fused, as they are without debug"
        )
    return lines


def _run(device: DeviceUnderTest, reference: Reference, data: Recording | Stimulus) -> Sequence[NDArray[Any]]:
    """Let the device infer on `data`; returns what its inputs should have held."""
    if isinstance(data, Stimulus):
        device.infer([data])
        return data.inputs
    model = device.firmware.model
    device.stream([data])
    raw = windows(data.samples, model.window, model.stride)
    return [*prepare(raw, model.channels, reference.input_quantization, model.layout)]


def _layers(
    device: DeviceUnderTest, reference: Reference, inputs: Sequence[NDArray[Any]], progress: Progress
) -> Iterator[Layer]:
    graph, expected, allowed = reference.graph, reference.tensors(inputs), tolerances(reference.graph)
    exact = Tolerance()
    for index, values, spec in zip(graph.inputs, inputs, reference.inputs, strict=True):
        yield _layer(device, None, graph.tensors[index], values.reshape(spec.shape), exact)
    constant = {tensor.index for tensor in graph.tensors if tensor.data is not None}
    folded = fold(graph)
    for operator in folded.operators:
        if constant.issuperset(index for index in operator.inputs if index >= 0):
            constant.update(operator.outputs)  # no engine has to compute it, or to keep it
            continue
        progress(f"operators, {device.firmware.name}", operator.index + 1, len(graph.operators))
        for index in operator.outputs:
            # Inside a convolution that is dilated only here, the reference has other tensors.
            if index in expected and expected[index].size == folded.tensors[index].elements:
                yield _layer(device, operator, graph.tensors[index], expected[index], allowed[index])


def _layer(
    device: DeviceUnderTest,
    operator: Operator | None,
    tensor: Tensor,
    reference: NDArray[Any],
    tolerance: Tolerance,
) -> Layer:
    try:
        content = device.client.tensor(tensor.index)
    except RefusedError:
        return Layer(operator, tensor, False, None)
    if len(content) != reference.nbytes:
        raise DeviceError(
            f"the device's tensor {tensor.index} has {len(content)} bytes, the reference's {reference.nbytes}: "
            "its engine does not run this network"
        )
    values = np.frombuffer(content, reference.dtype).reshape(reference.shape)
    quantization = Quantization(reference.dtype)
    if len(tensor.scales) == 1:
        quantization = Quantization(reference.dtype, float(tensor.scales[0]), int(tensor.zero_points[0]))
    return Layer(operator, tensor, True, compare_tensor(values, reference, tolerance, quantization))
