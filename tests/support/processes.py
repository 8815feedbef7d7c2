"""Wait for processes that are not children of this one."""

from __future__ import annotations

import os
import select


def ends(pid: int) -> bool:
    """Return whether the process `pid` ends within ten seconds."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], 10)[0])
    finally:
        os.close(descriptor)
