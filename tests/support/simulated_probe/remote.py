"""pyOCD's own protocol for probes elsewhere: a line of JSON for each request (pyocd.io, "Remote probe protocol")."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from typing import Any

from support.simulated_probe.debug_port import DebugPort

_PROPERTIES: dict[str, Any] = {
    "vendor_name": "tflm-hil",
    "product_name": "simulated probe",
    "supported_wire_protocols": ["DEFAULT", "SWD"],
    "wire_protocol": "SWD",
    "capabilities": [],
}
_TRANSFER_FAULT = 12


class _Requests:
    def __init__(self, port: DebugPort) -> None:
        self._port = port
        self._in_reset = False
        self.known: dict[str, Callable[..., Any]] = {
            "readprop": _PROPERTIES.get,
            "read_dp": port.read,
            "write_dp": port.write,
            "read_ap": lambda address: self._at(address, port.read_ap, address & 0xC),
            "write_ap": lambda address, value: self._at(address, port.write_ap, address & 0xC, value),
            "read_ap_multiple": lambda address, count: self._at(address, port.read_block, count),
            "write_ap_multiple": lambda address, values: self._at(address, port.write_block, values),
            "reset": port.chip.reset,
            "assert_reset": self._assert_reset,
            "is_reset_asserted": lambda: self._in_reset,
            "has_swo": lambda: False,
        }

    def _at(self, address: int, access: Callable[..., Any], *arguments: Any) -> Any:
        self._port.bank(address)
        return access(*arguments)

    def _assert_reset(self, asserted: bool) -> None:
        if self._in_reset and not asserted:
            self._port.chip.reset()
        self._in_reset = asserted


def serve(line: socket.socket, port: DebugPort) -> None:
    """Serve one pyOCD until it leaves. Requests that change nothing here, such as the speed, are just confirmed."""
    requests = _Requests(port)
    with line.makefile("rwb") as file:
        for text in file:
            request = json.loads(text)
            with port.chip.lock:
                handle = requests.known.get(request["request"])
                result = handle(*request.get("arguments", [])) if handle else None
                answer = {"id": request["id"], "status": 0, "result": result}
                if port.fault:
                    port.fault = False
                    answer = {"id": request["id"], "status": _TRANSFER_FAULT, "error": "bus fault"}
            file.write(json.dumps(answer).encode() + b"\n")
            file.flush()
