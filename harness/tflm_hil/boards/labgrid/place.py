"""What the coordinator says of a place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SERIAL_PORT = "NetworkSerialPort"


@dataclass(frozen=True)
class Resource:
    """Something of a place that an exporter offers, such as a serial port.

    `kind` is its class in labgrid, `user` the place that has acquired it. `arguments` and `extra` are what the exporter
    says of it.
    """

    name: str
    kind: str
    exporter: str
    available: bool
    user: str | None
    arguments: Mapping[str, Any]
    extra: Mapping[str, Any]


@dataclass(frozen=True)
class Place:
    """A place: a board with all that belongs to it.

    `holder` is HOST/USER of who has acquired it, or None. `changed` is when it was last changed, in seconds since the
    epoch: the moment when it was acquired, unless somebody has edited it since. `reserved` says whether somebody has
    reserved it.
    """

    name: str
    aliases: frozenset[str]
    tags: Mapping[str, str]
    holder: str | None
    changed: float
    reserved: bool


@dataclass(frozen=True)
class SerialServer:
    """Where the serial port `name` of a place is served: `protocol` is `rfc2217`, or `raw` with a fixed `baud`."""

    name: str
    exporter: str
    host: str
    port: int
    protocol: str
    baud: int
