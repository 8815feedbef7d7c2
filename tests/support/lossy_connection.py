"""A connection that damages, loses, repeats and reorders frames in both directions."""

from __future__ import annotations

import enum
import random
from collections.abc import Callable
from dataclasses import dataclass

from tflm_hil.device.connection import Connection

from support.fake_device import BOOT, HELLO, RESPONSE
from support.fake_framing import cobs_decode


class Fault(enum.Enum):
    CORRUPT = "corrupt"
    DROP = "drop"
    DUPLICATE = "duplicate"
    REORDER = "reorder"
    TRUNCATE = "truncate"


class Direction(enum.Enum):
    TO_DEVICE = "to device"
    FROM_DEVICE = "from device"


Plan = Callable[[Direction, int], Fault | None]
"""Returns the fault of frame number n, counted from 0 in each direction."""


@dataclass(frozen=True)
class Injected:
    direction: Direction
    fault: Fault
    seq: int


def at_random(seed: int, rate: float) -> Plan:
    """Return a plan with any fault on any frame with the probability `rate`; the same seed gives the same faults."""
    dice = random.Random(seed)

    def plan(_direction: Direction, _number: int) -> Fault | None:
        return dice.choice(list(Fault)) if dice.random() < rate else None

    return plan


def once(direction: Direction, number: int, fault: Fault) -> Plan:
    """Return a plan with one fault."""
    return lambda d, n: fault if (d, n) == (direction, number) else None


class LossyConnection:
    """Wraps a connection. `injected` lists the faults with their sequence numbers. Raw ECHO bytes must not pass here.

    A reordered frame is exchanged with the next one; if none follows, it comes one read later. HELLO and BOOT may get
    lost, but are not reordered or repeated, because elsewhere they would mean another session.
    """

    def __init__(self, inner: Connection, plan: Plan) -> None:
        self.injected: list[Injected] = []
        self._inner = inner
        self._plan = plan
        self._dice = random.Random(0)
        self._count = dict.fromkeys(Direction, 0)
        self._held = dict.fromkeys(Direction, b"")
        self._partial = b""

    def write(self, data: bytes) -> None:
        *wires, rest = data.split(b"\0")
        assert not rest, "frames must be written completely"
        self._inner.write(b"".join(self._pass(Direction.TO_DEVICE, wire) for wire in wires))

    def read(self, timeout: float) -> bytes:
        data = self._inner.read(timeout)
        if not data:
            late, self._held[Direction.FROM_DEVICE] = self._held[Direction.FROM_DEVICE], b""
            return late
        *wires, self._partial = (self._partial + data).split(b"\0")
        return b"".join(self._pass(Direction.FROM_DEVICE, wire) for wire in wires)

    def close(self) -> None:
        self._inner.close()

    def _pass(self, direction: Direction, wire: bytes) -> bytes:
        if not wire:
            return b"\0"
        packet = cobs_decode(wire)
        fault = self._plan(direction, self._count[direction])
        self._count[direction] += 1
        fixed = packet[0] in (HELLO, HELLO | RESPONSE, BOOT)
        if fixed and fault in (Fault.DUPLICATE, Fault.REORDER):
            fault = None
        if fault is not None:
            self.injected.append(Injected(direction, fault, int.from_bytes(packet[1:3], "little")))
        late, self._held[direction] = self._held[direction], b""
        if fault == Fault.REORDER:
            self._held[direction] = wire + b"\0"
            return late
        passed = self._damaged(wire, fault)
        return late + passed if fixed else passed + late

    def _damaged(self, wire: bytes, fault: Fault | None) -> bytes:
        if fault == Fault.DROP:
            return b""
        if fault == Fault.TRUNCATE:
            return wire[: self._dice.randrange(len(wire))]
        if fault == Fault.CORRUPT:
            at = self._dice.randrange(len(wire))
            return wire[:at] + bytes([wire[at] ^ 1 << self._dice.randrange(8)]) + wire[at + 1 :] + b"\0"
        return (wire + b"\0") * (2 if fault == Fault.DUPLICATE else 1)
