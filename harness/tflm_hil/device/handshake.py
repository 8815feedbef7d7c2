"""Open a session with HELLO, or explain what the device does instead of answering."""

import os

from tflm_hil.device import post_mortem
from tflm_hil.device.device_info import DeviceInfo, parse_hello, parse_hello_head
from tflm_hil.device.framing import Corrupt, Frame
from tflm_hil.device.link import Link
from tflm_hil.device.messages import PROTOCOL, RESPONSE, Message, pack_hello, parse_boot, parse_error
from tflm_hil.device.timeout import Deadline
from tflm_hil.errors import MuteError


class Handshake:
    """One HELLO, repeated with the same nonce until the answer comes."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._nonce = int.from_bytes(os.urandom(4))
        self._bytes_before = link.stats.bytes_received
        self._garbage = b""
        self._frames = 0
        self._echoes = 0
        self._boots: list[str] = []

    def run(self, timeout: float, retries: int) -> DeviceInfo:
        """Return the description of the device.

        `timeout` is in seconds per attempt. Raises DeviceError, which says what the device did instead of answering.
        """
        for _ in range(retries + 1):
            if (info := self._attempt(Deadline(timeout, self._link.clock))) is not None:
                return info
        return self._link.fail(f"{self._link.name} {self._explain(timeout * (retries + 1))}", MuteError)

    def _attempt(self, deadline: Deadline) -> DeviceInfo | None:
        self._link.send([(Message.HELLO, 0, pack_hello(self._nonce))], cut_off=True)
        boots = len(self._boots)
        # A device that boots now may have missed the request, so do not wait for an answer.
        while not deadline.expired and len(self._boots) == boots:
            item = self._link.receive(deadline.left)
            if item is not None and (info := self._take(item)) is not None:
                return info
        return None

    def _take(self, item: Frame | Corrupt) -> DeviceInfo | None:
        if isinstance(item, Corrupt):
            self._garbage = self._garbage or item.data
            return None
        self._frames += 1
        if item.type == Message.BOOT:
            self._boots.append(self._link.parse(parse_boot, item.body))
        elif item.type == Message.CRASH:
            post_mortem.fail(self._link, item.body, " before it said what it runs")
        elif item.type == Message.ERROR and item.seq == 0:
            self._link.fail(f"{self._link.name} refused HELLO: {self._link.parse(parse_error, item.body)}")
        elif item.type == Message.HELLO:
            self._echoes += 1
        elif item.type == Message.HELLO | RESPONSE:
            return self._answer(item.body)
        return None

    def _answer(self, body: bytes) -> DeviceInfo | None:
        protocol, nonce = self._link.parse(parse_hello_head, body)
        if nonce != self._nonce:
            return None
        if protocol != PROTOCOL:
            self._link.fail(
                f"{self._link.name} speaks protocol version {protocol}, this harness version {PROTOCOL};"
                " build and flash the firmware from the same checkout"
            )
        return self._link.parse(parse_hello, body)

    def _explain(self, seconds: float) -> str:
        received = self._link.stats.bytes_received - self._bytes_before
        if len(self._boots) > 1:
            return f"rebooted {len(self._boots)} times without answering HELLO (last cause: {self._boots[-1]})"
        if self._echoes:
            return "only sends back what it receives: is TX connected to RX, or does a program in between echo?"
        if self._frames:
            return f"sent other frames, but no answer to HELLO in {seconds:g} s; reset the board"
        if received:
            return (
                f"sends garbage: {received} bytes without a valid frame"
                + (f", beginning with {self._garbage[:8].hex(' ')}" if self._garbage else "")
                + ": is tflm-hil firmware flashed, and is the baud rate right?"
            )
        return (
            f"is silent: no answer to HELLO in {seconds:g} s: is tflm-hil firmware flashed, and is this its port?"
            " If it crashed before this run, reset it by hand"
        )
