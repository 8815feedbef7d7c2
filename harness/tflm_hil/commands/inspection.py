"""What there is to know of a .tflite before anything is built for a chip."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from tflm_hil.engines import selection as engines
from tflm_hil.engines.engine import Engine, Estimate
from tflm_hil.errors import HilError
from tflm_hil.firmware import toolchain
from tflm_hil.firmware.image import STACK
from tflm_hil.firmware.memory import TooLargeError
from tflm_hil.firmware.project import FirmwareProject
from tflm_hil.models.macs import multiply_accumulates
from tflm_hil.models.manifest import lone_model
from tflm_hil.models.reference import Reference
from tflm_hil.models.stimuli import stimuli
from tflm_hil.models.tflite_file import Graph, Operator, Tensor, read
from tflm_hil.progress import Say, silent
from tflm_hil.targets import Target

# What both engines are held against.
REFERENCE = "tflite-micro"


@dataclass(frozen=True)
class TensorFacts:
    """One tensor. -1 in `shape` is a dimension that the file leaves open.

    real value = (stored - zero point) * scale; `scales` and `zero_points` are empty where it is not quantized, and
    several belong to the slices along `quantized_dimension`. `constant_bytes` is 0 for an activation.
    """

    index: int
    name: str
    type: str
    shape: tuple[int, ...]
    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    quantized_dimension: int
    constant_bytes: int


@dataclass(frozen=True)
class OperatorFacts:
    """One operator; tensors by index, -1 for an absent one. `macs` is None where they are not counted.

    `weight_bytes` are those of its constant inputs, biases included.
    """

    index: int
    kind: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    macs: int | None
    weight_bytes: int


@dataclass(frozen=True)
class ImageFacts:
    """The firmware with this network for `target`, linked but not run; all in bytes.

    `flash` holds `constants` of the network; what is left are kernels and the rest of the firmware. `ram` is static and
    holds the `arena`; it is without the buffers of the link to the harness and without the `stack`, whose reserve is
    given.
    """

    target: str
    flash: int
    constants: int
    ram: int
    arena: int
    link_buffers: int
    stack: int


@dataclass(frozen=True)
class Verdict:
    """Whether `who` (an engine, or TFLM on the host as the reference) takes the network, and if not, the `reason`.

    `estimate` is what an engine knows before it builds, and `image` what its firmware takes. That is None if none was
    linked; if the engine takes the network all the same, `reason` says why.
    """

    who: str
    accepts: bool
    reason: str
    estimate: Estimate | None = None
    image: ImageFacts | None = None


@dataclass(frozen=True)
class Inspection:
    """A .tflite, looked at without running it on a device.

    `macs` are those of all operators that are counted, and `uncounted` names the kinds that are not. `weight_bytes`
    counts every constant tensor once.
    """

    file: str
    file_bytes: int
    sha256: str
    description: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    operators: tuple[OperatorFacts, ...]
    tensors: tuple[TensorFacts, ...]
    macs: int
    uncounted: tuple[str, ...]
    weight_bytes: int
    verdicts: tuple[Verdict, ...]


def inspect(path: Path, project: FirmwareProject, target: Target, say: Say = silent) -> Inspection:
    """Read `path`, count its arithmetic, compile it, and ask each engine whether it takes it.

    Where there is a toolchain, the firmware is also linked for `target`, with each engine that is on this machine; what
    is built lies in `project`. `say` is told what takes its time.

    Raises:
        HilError: the file cannot be read, is no .tflite or is damaged.
    """
    graph = read(path)
    content = path.read_bytes()
    operators = tuple(_operator(graph, operator) for operator in graph.operators)
    tensors = tuple(_tensor(tensor) for tensor in graph.tensors)
    return Inspection(
        file=str(path),
        file_bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        description=graph.description,
        inputs=tuple(graph.inputs),
        outputs=tuple(graph.outputs),
        operators=operators,
        tensors=tensors,
        macs=sum(operator.macs or 0 for operator in operators),
        uncounted=tuple(sorted({operator.kind for operator in operators if operator.macs is None})),
        weight_bytes=sum(tensor.constant_bytes for tensor in tensors),
        verdicts=(*(_verdict(name, path, project, target, say) for name in engines.names()), _host(path)),
    )


def _operator(graph: Graph, operator: Operator) -> OperatorFacts:
    constants = {index for index in operator.inputs if index >= 0 and graph.tensors[index].data is not None}
    return OperatorFacts(
        index=operator.index,
        kind=operator.kind,
        inputs=tuple(operator.inputs),
        outputs=tuple(operator.outputs),
        macs=multiply_accumulates(graph, operator),
        weight_bytes=sum(_constant_bytes(graph.tensors[index]) for index in constants),
    )


def _tensor(tensor: Tensor) -> TensorFacts:
    return TensorFacts(
        index=tensor.index,
        name=tensor.name,
        type=tensor.type.name.lower(),
        shape=tensor.shape,
        scales=tuple(float(scale) for scale in tensor.scales),
        zero_points=tuple(int(zero_point) for zero_point in tensor.zero_points),
        quantized_dimension=tensor.quantized_dimension,
        constant_bytes=_constant_bytes(tensor),
    )


def _constant_bytes(tensor: Tensor) -> int:
    return 0 if tensor.data is None else tensor.data.nbytes


def _verdict(name: str, path: Path, project: FirmwareProject, target: Target, say: Say) -> Verdict:
    """What the engine `name` says, with the firmware's sizes or with why they are not known."""
    try:
        engine = engines.load(name)
        verdict = Verdict(name, True, "", engines.check(engine, path, project, say))
    except HilError as error:
        return Verdict(name, False, _reason(error, path))
    return _linked(verdict, engine, path, project, target, say)


def _linked(
    verdict: Verdict, engine: Engine, path: Path, project: FirmwareProject, target: Target, say: Say
) -> Verdict:
    model = lone_model(path)
    (variant,) = model.variants
    try:
        toolchain.versions()
        if reason := engine.unavailable(project, True):
            raise HilError(reason)
        image = engine.build(project, model, variant, target, say=say)
    except TooLargeError as error:
        return replace(verdict, accepts=False, reason=_reason(error, path))
    except HilError as error:
        return replace(verdict, reason=f"flash and RAM are not known: {error}")
    facts = ImageFacts(
        target.name,
        flash=image.flash_bytes,
        constants=image.model_bytes,
        ram=image.ram_bytes,
        arena=image.arena_bytes,
        link_buffers=image.ram_total_bytes - image.ram_bytes,
        stack=image.sections.get(STACK, 0),
    )
    return replace(verdict, image=facts)


def _host(path: Path) -> Verdict:
    """Whether there is something to hold answers against, and something to ask for them."""
    try:
        host = Reference(path)
        stimuli(host.inputs)
    except HilError as error:
        return Verdict(REFERENCE, False, _reason(error, path))
    reason = f"with its constants folded, because as it is {host.refusal}" if host.refusal else ""
    return Verdict(host.name, True, reason)


def _reason(error: HilError, path: Path) -> str:
    return str(error).removeprefix(f"{path}: ")
