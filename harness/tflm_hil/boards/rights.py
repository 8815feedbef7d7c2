"""Who may open the device files of ports and probes, and how a user becomes one of them."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from pathlib import Path

PORT_GROUPS = ("dialout", "uucp")
"""Who may use serial ports: on Debian, Fedora and most others, and on Arch."""

PROBE_GROUPS = ("plugdev", *PORT_GROUPS)


def may_use(file: Path) -> bool:
    """Whether this process may read and write `file`."""
    return os.access(file, os.R_OK | os.W_OK)


def remedy(file: Path) -> str:
    """Return what makes a user one of those who may use the port `file`."""
    try:
        status = file.stat()
        group = grp.getgrgid(status.st_gid).gr_name
    except (OSError, KeyError):
        return _join(first_group(PORT_GROUPS) or PORT_GROUPS[0])
    if stat.S_IMODE(status.st_mode) & 0o060 != 0o060 or status.st_gid == 0:
        return f"only its owner may use it: `ls -l {file}` shows who that is; a udev rule gives it to a group"
    return _join(group)


def is_member(group: str) -> bool:
    """Whether this process acts for `group`, or may do everything."""
    return os.geteuid() == 0 or grp.getgrnam(group).gr_gid in (os.getegid(), *os.getgroups())


def first_group(names: tuple[str, ...]) -> str | None:
    """Return the first of these groups that this machine has."""
    known = {entry.gr_name for entry in grp.getgrall()}
    return next((name for name in names if name in known), None)


def _join(group: str) -> str:
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
        if user in grp.getgrnam(group).gr_mem:
            return f"log in again: you have joined the group {group} since this session began"
    except KeyError:  # a user, or a group, without a name
        pass
    return f"join the group that owns it (`sudo usermod -aG {group} $USER`), log in again"
