"""The exit status of a session: what a CI job needs to know, in one number."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum


class ExitStatus(IntEnum):
    """Beside pytest's own, which are 2 to 5 for a session that did not come to its end."""

    PASSED = 0
    FAILED = 1
    REGRESSED = 8
    INFRASTRUCTURE = 9


MEANING = {
    ExitStatus.PASSED: "all passed",
    ExitStatus.FAILED: "failed",
    ExitStatus.REGRESSED: "nothing failed but the comparison with the baseline",
    ExitStatus.INFRASTRUCTURE: "infrastructure failed, which says nothing of the firmware",
}


def exit_status(failed: Sequence[str], regressed: Sequence[str], broken: Sequence[str]) -> tuple[ExitStatus, str]:
    """The status of a session, and why, for people.

    `failed` are the reasons for which something is wrong, `regressed` what fell behind a baseline, and `broken` what
    failed because of the infrastructure. What is broken and regressed at once has simply failed.
    """
    if failed or (regressed and broken):
        status, reasons = ExitStatus.FAILED, [*failed, *regressed, *broken]
    elif regressed:
        status, reasons = ExitStatus.REGRESSED, list(regressed)
    elif broken:
        status, reasons = ExitStatus.INFRASTRUCTURE, list(broken)
    else:
        return ExitStatus.PASSED, MEANING[ExitStatus.PASSED]
    more = f" and {len(reasons) - 1} more" if len(reasons) > 1 else ""
    return status, f"{MEANING[status]}: {reasons[0]}{more}"
