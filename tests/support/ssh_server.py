"""An SSH server on this machine, and an `ssh` that goes there without a password, whatever host it is told."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tflm_hil.processes import die_with_parent

PROGRAM = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin")
START_S = 20.0

# The key of a host or a user must be nobody else's to read, but the folder of a test may be.
SERVER = """
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/user_key.pub
StrictModes no
UsePAM no
LogLevel VERBOSE
PidFile none
"""
CLIENT = """
Host *
  HostName 127.0.0.1
  Port {port}
  User {user}
  IdentityFile {folder}/user_key
  UserKnownHostsFile {folder}/known_hosts
"""


@contextmanager
def serving(folder: Path) -> Iterator[Path]:
    """Yield a folder for PATH that has this `ssh`. Skips the test if there is no server."""
    if PROGRAM is None:
        pytest.skip("sshd is not installed: apt-get install openssh-server")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # It wants to have this for itself.
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    for name in ("host_key", "user_key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    (folder / "sshd_config").write_text(SERVER.format(port=port, folder=folder))
    (folder / "ssh_config").write_text(CLIENT.format(port=port, folder=folder, user=getpass.getuser()))
    key = (folder / "host_key.pub").read_text()
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {key}")
    ssh = folder / "bin" / "ssh"
    ssh.parent.mkdir()
    ssh.write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {folder}/ssh_config "$@"\n')
    ssh.chmod(0o755)
    argv = [PROGRAM, "-D", "-e", "-f", str(folder / "sshd_config")]
    with subprocess.Popen(argv, stderr=(folder / "sshd.log").open("wb"), preexec_fn=die_with_parent()) as process:
        try:
            until = time.monotonic() + START_S
            while subprocess.run([ssh, "lab", "true"], capture_output=True, check=False).returncode != 0:
                assert time.monotonic() < until, (folder / "sshd.log").read_text()
                time.sleep(0.1)
            yield ssh.parent
        finally:
            process.terminate()
