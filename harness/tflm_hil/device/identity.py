"""Check that the running image is the one that was built."""

import dataclasses
import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from tflm_hil.device.device_info import DeviceInfo
from tflm_hil.device.tensor_info import TensorInfo
from tflm_hil.errors import DeviceError

_SHOWN_BYTES = 6
_SHOWN_TENSORS = 4

Tensor = tuple[np.dtype[Any], int]
"""Type and number of elements of an input or output."""


@dataclasses.dataclass(frozen=True)
class Layout:
    """Inputs and outputs of a model; `window`, `stride` and `channels` are 0 if it has no windows."""

    window: int
    stride: int
    channels: int
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]


def check_identity(info: DeviceInfo, build_id: bytes, model_sha256: bytes) -> None:
    """Raise DeviceError unless the device runs the image `build_id` with the model whose file has `model_sha256`."""
    if info.build_id != build_id and not any(info.build_id):
        raise DeviceError(
            f"the board reports no build id, but the image has {_short(build_id)};"
            " report it in describe(), or link without a build id"
        )
    if info.build_id != build_id:
        raise DeviceError(
            f"the board runs {build(info.build_id)}, but the harness built {_short(build_id)};"
            " flash the image that was built and run again, with --hil-flash=auto if that can be done from here"
        )
    if info.model_hash != model_sha256[: len(info.model_hash)]:
        raise DeviceError(
            f"the board runs model {_short(info.model_hash)}, but the test expects {_short(model_sha256)};"
            " flash the image that was built for this model and run again"
        )


def check_layout(info: DeviceInfo, layout: Layout) -> None:
    """Raise DeviceError, which names the first difference, unless the device has the inputs and outputs of the model.

    A device of the right identity that fails this check has faulty firmware.
    """
    told = Layout(info.window, info.stride, info.channels, _tensors(info.inputs), _tensors(info.outputs))
    for field in dataclasses.fields(Layout):
        theirs, ours = getattr(told, field.name), getattr(layout, field.name)
        if theirs != ours:
            raise DeviceError(
                f"the board reports {field.name} {_shown(theirs)}, but the model has {_shown(ours)};"
                " build and flash the firmware again"
            )


def build(build_id: bytes) -> str:
    """Return how an image is called in messages."""
    return f"build {_short(build_id)}" if any(build_id) else "an image without a build id"


def _tensors(tensors: Iterable[TensorInfo]) -> tuple[Tensor, ...]:
    return tuple((tensor.dtype, math.prod(tensor.shape)) for tensor in tensors)


def _shown(value: int | tuple[Tensor, ...]) -> str:
    if isinstance(value, int):
        return str(value)
    listed = ", ".join(f"{count} x {dtype}" for dtype, count in value[:_SHOWN_TENSORS])
    return f"[{listed}{', ...' if len(value) > _SHOWN_TENSORS else ''}]"


def _short(identity: bytes) -> str:
    return identity[:_SHOWN_BYTES].hex()
