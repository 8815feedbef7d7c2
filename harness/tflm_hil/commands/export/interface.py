"""The C interface of an exported network: one function an end, and constants that say what its values mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tflm_hil.compiler.emit import C_TYPES, describe, float_literal, plain
from tflm_hil.compiler.graph.network import Network
from tflm_hil.compiler.memory.storage import Storage
from tflm_hil.models.answers import Classes
from tflm_hil.models.manifest import Model
from tflm_hil.models.tflite_file import Tensor, TensorType


@dataclass(frozen=True)
class End:
    """An input or output: `name` is that of its function without the network's, such as "input" or "output_1"."""

    name: str
    tensor: Tensor
    offset: int

    @property
    def ctype(self) -> str:
        """The C type of its elements."""
        return C_TYPES[self.tensor.type]


def ends(kind: str, tensors: Sequence[int], network: Network, storage: Storage) -> list[End]:
    """Return the inputs or outputs (`kind`) of a network; several are numbered from 0."""
    found = []
    for number, index in enumerate(tensors):
        offset = storage.offset(index)
        assert offset is not None, "no end is a constant"
        found.append(End(f"{kind}_{number}" if len(tensors) > 1 else kind, network.tensors[index], offset))
    return found


def pointer_type(end: End) -> str:
    """Return the type of what the function of `end` returns, with its asterisk: outputs are only read."""
    return f"{'const ' if end.name.startswith('output') else ''}{end.ctype} *"


def constants(prefix: str, end: End) -> str:
    """Return the macros that describe `end`: length, shape and, if it is quantized, scale and zero point."""
    name, tensor = f"{prefix}_{end.name}".upper(), end.tensor
    lines = [
        f"/* {describe(tensor)}: {plain(tensor.name)} */",
        f"#define {name}_LENGTH {tensor.elements}",
        f"#define {name}_RANK {len(tensor.shape)}",
        f"#define {name}_SHAPE {{{', '.join(str(size) for size in tensor.shape)}}}",
    ]
    if tensor.type is not TensorType.FLOAT32:
        lines += [
            f"/* real value = {name}_SCALE * (stored value - {name}_ZERO_POINT) */",
            f"#define {name}_SCALE {float_literal(float(tensor.scales[0]))}",
            f"#define {name}_ZERO_POINT ({int(tensor.zero_points[0])})",
        ]
    return "\n".join(lines)


def has_labels(model: Model) -> bool:
    """Whether the largest output of the network names a label."""
    return isinstance(model.meaning, Classes)


def rows_comment(model: Model) -> str:
    """Return what stands above the function that takes rows: how the sensor's counts are to be scaled."""
    channels = "\n".join(
        f" *     {plain(channel.name)}: "
        + ("raw counts" if channel.unit == "raw" else f"{channel.lsb_per_unit:g} counts per {plain(channel.unit)}")
        for channel in model.channels
    )
    return f"""\
/*
 * Takes one row of the sensor, {model.sample_rate_hz:g} a second, as its raw counts in this order:
{channels}
 * Returns true if the row completes a window, which every {model.stride} rows do once there are {model.window}. The
 * input is then written, normalized and quantized: call the invoke function before the next row.
 */"""


def text_literal(text: str) -> str:
    """Return `text`, in UTF-8, as a string literal that means the same to every compiler."""
    return '"' + "".join(chr(byte) if _simple(byte) else f"\\{byte:03o}" for byte in text.encode()) + '"'


def _simple(byte: int) -> bool:
    """Whether a character of a string literal stands for itself, also beside others."""
    return 0x20 <= byte < 0x7F and chr(byte) not in '"\\?'
