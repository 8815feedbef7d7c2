"""Waiting for processes of others."""

from __future__ import annotations

import os
import select


def ends(pid: int) -> bool:
    """Whether a process that is no child of ours ends within ten seconds."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], 10)[0])
    finally:
        os.close(descriptor)
