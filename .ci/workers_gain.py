"""How much faster the suite is with two workers than in one process, over both links of the emulated board.

usage: python .ci/workers_gain.py [RUNS]

Run it on a machine with two idle cores. Runs with and without workers alternate. The goal is for the UART, over which
most of the time goes into streaming; over the rings in memory that takes a second, and starting Python and asking
PlatformIO take the rest. The exit status is 1 if the goal is missed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
GOAL = 1.7


def seconds(link: str, workers: int) -> float:
    """How long one run of the suite takes."""
    with tempfile.TemporaryDirectory() as folder:
        command = (sys.executable, "-m", "pytest", "-q", "--board=emulated", f"--hil-link={link}", "-n", str(workers))
        started = time.monotonic()
        subprocess.run([*command, f"--hil-report={folder}"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        return time.monotonic() - started


def main() -> int:
    """Measure, and say what came out."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    print(f"load before: {os.getloadavg()[0]:.2f} on {os.cpu_count()} cores")
    gains = {}
    for link in ("uart", "rtt"):
        seconds(link, 0)  # builds what has changed
        times = [(seconds(link, 0), seconds(link, 2)) for _ in range(runs)]
        one, two = (min(column) for column in zip(*times, strict=True))
        gains[link] = one / two
        print(f"the suite over {link}: {one:.1f} s in one process, {two:.1f} s with -n 2: x {gains[link]:.2f}")
    print(f"goal over uart: at least {GOAL}")
    return gains["uart"] < GOAL


if __name__ == "__main__":
    sys.exit(main())
