"""Whether the image that runs is the image that was built."""

from harness.device.device_info import DeviceInfo
from harness.errors import DeviceError

_SHOWN_BYTES = 6


def check_identity(info: DeviceInfo, build_id: bytes, model_sha256: bytes) -> None:
    """Raise DeviceError unless the device runs the image `build_id` with the model whose file has `model_sha256`."""
    if info.build_id != build_id:
        raise DeviceError(
            f"the board runs build {_short(info.build_id)}, the harness built {_short(build_id)}:"
            " flash the image that was built and run again"
        )
    if info.model_hash != model_sha256[: len(info.model_hash)]:
        raise DeviceError(
            f"the board runs model {_short(info.model_hash)}, the test expects {_short(model_sha256)}:"
            " flash the image that was built for this model and run again"
        )


def _short(identity: bytes) -> str:
    return identity[:_SHOWN_BYTES].hex()
