"""The git of the user, asked in English and without questions back."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tflm_hil.errors import HilError


def run(
    folder: Path, *arguments: str, timeout_s: float | None = None, environment: Mapping[str, str] = os.environ
) -> subprocess.CompletedProcess[str]:
    """Run git in `folder`, whatever its exit status.

    What it says is in the language that messages are looked for in, and it asks nobody for a password.

    Raises:
        HilError: there is no git.
        subprocess.TimeoutExpired: it has not ended in `timeout_s`.
    """
    try:
        return subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            check=False,
            env={**environment, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"},
        )
    except OSError as error:
        raise HilError(f"git: cannot start: {error.strerror}; install it") from error
