"""Serve a serial port with RFC 2217 on a TCP port of this machine, by pyserial's own server."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import serial
from serial import rfc2217


class Terminal(serial.Serial):  # type: ignore[misc]
    """A pseudo-terminal, which has no modem control lines."""

    cts = dsr = ri = cd = False
    dtr = rts = break_condition = False
    asked: list[tuple[str, bool]] | None = None

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if self.asked is not None and name in ("dtr", "rts"):
            self.asked.append((name, value))


@contextmanager
def serving(port: str, asked: list[tuple[str, bool]] | None = None) -> Iterator[str]:
    """Serve the serial port `port` to one client after another; yield the URL.

    What the client asks of the lines `dtr` and `rts` goes to `asked`.
    """
    device = Terminal(port, timeout=0.01)
    device.asked = asked
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_accept, args=(server, device), daemon=True)
        thread.start()
        yield f"rfc2217://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
    device.close()


def _accept(server: socket.socket, device: Any) -> None:
    with contextlib.suppress(OSError):  # The server was shut down.
        while True:
            client, _ = server.accept()
            with client:
                _serve(client, device)


def _serve(client: socket.socket, device: Any) -> None:
    client.settimeout(0.001)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    manager = rfc2217.PortManager(device, SimpleNamespace(write=client.sendall))
    while True:
        try:
            received = client.recv(4096)
            if not received:
                return
            device.write(b"".join(manager.filter(received)))
        except TimeoutError:
            pass
        except OSError:
            return
        if device.in_waiting:
            client.sendall(b"".join(manager.escape(device.read(device.in_waiting))))
