"""How much faster the suite is with two workers than in one process, over both links of the emulated board.

usage: python .ci/workers_gain.py [RUNS]

Run it on a machine with two idle cores. Runs with and without workers alternate. The goal is for every target over the
UART, where streaming takes a minute or two. A second goes into starting each Python, so the gain of a suite of seconds
is small; and over the rings one process alone keeps more than one core busy. The exit status is 1 if the goal is
missed.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
GOAL = 1.7


def seconds(target: str, link: str, workers: int) -> float:
    """How long one run of the suite takes."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pytest", "-q", "-n", str(workers), "--board=emulated", f"--hil-link={link}"]
        command += [f"--hil-target={target}", f"--hil-report={folder}"]
        started = time.monotonic()
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        return time.monotonic() - started


def main() -> int:
    """Measure, and say what came out."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    print(f"load before: {os.getloadavg()[0]:.2f} on {os.cpu_count()} cores")
    gains = {}
    for target, link in itertools.product(("stm32f4", "all"), ("rtt", "uart")):
        if link == "rtt":
            seconds(target, link, 2)  # builds what has changed
        times = [(seconds(target, link, 0), seconds(target, link, 2)) for _ in range(runs)]
        one, two = (min(column) for column in zip(*times, strict=True))
        gains[target, link] = one / two
        print(f"{target:7} over {link:4}: {one:5.1f} s in one process, {two:4.1f} s with -n 2: x {one / two:.2f}")
    print(f"goal for all over uart: at least {GOAL}")
    return gains["all", "uart"] < GOAL


if __name__ == "__main__":
    sys.exit(main())
