"""Serve a serial port on a TCP port of this machine, by ser2net."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PROGRAM = shutil.which("ser2net") or shutil.which("ser2net", path="/usr/sbin")
CONFIGURATION = """
connection: &board
  accepter: {accepter},127.0.0.1,{port}
  connector: serialdev,{terminal},115200n81,local
  options:
    kickolduser: true
"""
START_S = 10.0


@contextmanager
def serving(terminal: str, folder: Path, scheme: str) -> Iterator[str]:
    """Serve `terminal` as `rfc2217` or as a plain `socket`; yield the URL. Skips the test if there is no ser2net."""
    if PROGRAM is None:
        pytest.skip("ser2net is not installed: apt-get install ser2net")
    port = _free_port()
    accepter = "telnet(rfc2217),tcp" if scheme == "rfc2217" else "tcp"
    configuration = folder / "ser2net.yaml"
    configuration.write_text(CONFIGURATION.format(accepter=accepter, port=port, terminal=terminal))
    with subprocess.Popen([PROGRAM, "-n", "-c", str(configuration)], stderr=subprocess.PIPE) as server:
        try:
            _wait(server, port)
            yield f"{scheme}://127.0.0.1:{port}"
        finally:
            server.kill()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _wait(server: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and server.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1.0):
            return
    assert server.stderr is not None
    server.kill()
    pytest.fail(f"ser2net does not listen: {server.stderr.read().decode()}")
