"""What a sketch says of its sensor and of gestures, in comments such as `# rate_hz: 50`; docs/capture.md has them."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from typing import Any

from tflm_hil.capture.setup import CHANNELS
from tflm_hil.errors import HilError
from tflm_hil.recordings.block import quoted

_PAIR = re.compile(r"(\w+)\s*:\s*(.*)")

_OPTIONS = {"rate_hz": "--rate", "rows": "--rows"}
_OF_SENSOR = ("sensor", "accelerometer_range_g", "gyroscope_range_dps")


@dataclass(frozen=True)
class Settings:
    """What is known of a sketch, from the user or from its comments; None is unknown."""

    sensor: str | None = None
    accelerometer_range_g: float | None = None
    gyroscope_range_dps: float | None = None
    rate_hz: float | None = None
    rows: int | None = None
    offsets: tuple[float, ...] | None = None
    offsets_removed: bool | None = None
    threshold_g: float | None = None
    pretrigger_rows: int | None = None

    def with_comment(self, text: str) -> Settings:
        """Return this with what the comment `text` sets. Raises HilError if its value is none."""
        found = _PAIR.fullmatch(text.strip())
        assert found is not None
        key, value = found[1], found[2].strip()
        return replace(self, **{key: _read(key, value)})

    def contradicts(self, said: Settings, key: str) -> str:
        """Return how what the sketch `said` differs from this, what the user says, "" if it does not."""
        if key not in (*_OF_SENSOR, *_OPTIONS):
            return ""
        ours, theirs = getattr(self, key), getattr(said, key)
        if None in (ours, theirs) or ours == theirs:
            return ""
        return f"the sketch says {key}: {theirs}, but {_OPTIONS.get(key, '--sensor')} says {ours}"

    def completed(self, other: Settings) -> Settings:
        """Return this, with what is unknown here as `other` has it."""
        known: dict[str, Any] = {name: value for name, value in vars(self).items() if value is not None}
        return replace(other, **known)


USUAL = Settings("MPU6050", 4.0, 2000.0)
"""The sensor of a sketch that says nothing of it: that of the paper, as the paper sets it up."""

_KEYS = frozenset(field.name for field in fields(Settings))


def keyword(text: str) -> str | None:
    """Return the key that the comment `text` sets; None if it is one for people."""
    found = _PAIR.fullmatch(text.strip())
    return found[1] if found and found[1] in _KEYS else None


def sensor_option(text: str) -> Settings:
    """Return what `NAME,G,DPS` says, such as MPU6050,4,2000. Raises HilError if it is something else."""
    name, *ranges = text.split(",")
    try:
        g, dps = map(float, ranges)
    except ValueError:
        raise HilError(f"--sensor={text}: give its name and its ranges in g and dps, e.g. MPU6050,4,2000") from None
    return Settings(name.strip(), g, dps)


def _read(key: str, value: str) -> Any:
    try:
        if key == "sensor":
            return value
        if key == "offsets":
            offsets = tuple(map(float, value.split(",")))
            if len(offsets) != len(CHANNELS):
                raise ValueError
            return offsets
        if key == "offsets_removed":
            return {"true": True, "false": False}[value]
        return int(value) if key in ("rows", "pretrigger_rows") else float(value)
    except (ValueError, KeyError):
        raise HilError(
            f"{key}: {quoted(value)!r} is no value of it; correct the sketch, or its line was torn"
        ) from None
