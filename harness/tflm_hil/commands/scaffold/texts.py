"""The files of a new project as texts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tflm_hil.commands.scaffold.fitting import Scaling, Windows
from tflm_hil.manifest_keys import SCHEMAS
from tflm_hil.recordings.manifest import Manifest
from tflm_hil.recordings.units import RAW

SUITE = '''\
"""The suite of tflm-hil. Tests of your own may stand beside it."""

from tflm_hil.suite import *  # noqa: F403
'''

IGNORED = ".hil/\nreports/\n"

TOX = """\
[tox]
env_list = emulated
no_package = true

[testenv]
description = the suite on the emulated board
deps =
    {requirement}
pass_env = HIL_*,PIP_*,UV_*
commands = pytest --board=emulated {{posargs}}
"""

PYTEST = """
[pytest]
testpaths = tests
"""


@dataclass(frozen=True)
class Sensor:
    """What the manifest of a model with windows has beside its network."""

    windows: Windows
    stride: int
    sample_rate_hz: float
    recordings: str
    labels: Sequence[str]
    channels: Sequence[tuple[str, Scaling]]


def project_toml(target: str | None) -> str:
    """hil.toml."""
    lines = [f'schema = "{SCHEMAS["hil.toml"]}"']
    return "\n".join(lines + ([f"default_target = {_text(target)}"] if target else [])) + "\n"


def model_toml(name: str, file: str, variant: str, sensor: Sensor | None, guesses: Iterable[str] = ()) -> str:
    """model.toml, with what nobody has said in a comment at its head."""
    lines = [f"# A guess: {guess}." for guess in guesses]
    lines += [f'schema = "{SCHEMAS["model.toml"]}"', f"name = {_text(name)}"]
    if sensor:
        lines += [f"labels = [{', '.join(map(_text, sensor.labels))}]"] if sensor.labels else []
        lines += [
            f"window = {sensor.windows.rows}",
            f"stride = {sensor.stride}",
            f"sample_rate_hz = {sensor.sample_rate_hz!r}",
            f"recordings = {_text(sensor.recordings)}",
        ]
        if sensor.windows.layout != "channels-last":
            lines.append(f"layout = {_text(sensor.windows.layout)}")
        for channel, scale in sensor.channels:
            lines += ["", "[[channels]]", f"name = {_text(channel)}", f"unit = {_text(scale.unit)}"]
            if scale.unit != RAW:
                lines.append(f"lsb_per_unit = {scale.lsb_per_unit!r}")
            for key, value in scale.normalization.items():
                lines.append(f"{key} = {_text(value) if isinstance(value, str) else repr(value)}")
    lines += ["", f"[variants.{variant}]", f"file = {_text(file)}"]
    return "\n".join(lines) + "\n"


def recordings_toml(manifest: Manifest, guesses: Iterable[str] = ()) -> str:
    """recordings.toml."""
    lines = [f"# A guess: {guess}." for guess in guesses]
    lines += [f"schema = {_text(manifest.schema)}"]
    lines += [f"description = {_text(manifest.description)}"] if manifest.description else []
    lines += ["simulated = true"] if manifest.simulated else []
    lines += [f"sample_rate_hz = {manifest.sample_rate_hz!r}"]
    if manifest.time_column:
        lines += [f"time_column = {_text(manifest.time_column)}", f"time_unit = {_text(manifest.time_unit)}"]
    for files in manifest.files:
        lines += ["", "[[files]]", f"path = {_text(files.path)}"]
        for key, value in (("label", files.label), ("label_column", files.label_column)):
            lines += [f"{key} = {_text(value)}"] if value else []
    return "\n".join(lines) + "\n"


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
