"""How long `hil history` takes over 10,000 runs, and how much a run adds to the database.

usage: python .ci/history_time.py [RUNS]

The history is made up: sessions of four runs, each at a commit of its own, with as many symbols as our images have; of
every fourth commit the images change. The time is that of the processor, for a whole process, so that a busy machine
matters less. The exit status is 1 if a goal is missed.
"""

from __future__ import annotations

import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tflm_hil.checks.latency import Latency
from tflm_hil.results.groups import FirmwareFigures, SymbolFigures
from tflm_hil.results.history.database import writing
from tflm_hil.results.history.query import trends
from tflm_hil.results.history.record import add, measured_now, record
from tflm_hil.results.model import Case, Results, Run

LIMIT_S = 0.5
MODELS = ("gesture", "gesture_cnn", "keyword", "anomaly")
SYMBOLS = 180
REPEATS = 5


def results(number: int, chance: random.Random) -> Results:
    """One session at a commit of its own."""
    image = random.Random(number // 4)
    symbols = [
        SymbolFigures(f"symbol_{index}", ".text", image.randrange(2000), f"lib/part_{index % 20}.c")
        for index in range(SYMBOLS)
    ]
    runs = []
    for model in MODELS:
        count = 13_000 + image.randrange(1000)
        figures = FirmwareFigures("", 20_000 + image.randrange(500), 700, 2048, 232, 10_000, {".text": 20_000}, symbols)
        run = Run(model, "int8", "aot", "emulated", "qemu 7.2", "stm32f4", "pass", firmware=figures)
        run.latency = Latency("instructions", 1305, count, count, count + 99, count + 200 + chance.randrange(9))
        run.outputs = {f"recording/{index}": f"{image.getrandbits(64):016x}" for index in range(100)}
        run.tests = [Case(id="test", outcome="passed", this_session=True)]
        runs.append(run)
    created = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(1.7e9 + 600 * number))
    git = {"commit": f"{random.Random(number).getrandbits(160):040x}", "branch": "main", "dirty": False}
    return Results(created=created, git=git, host={}, toolchain={}, runs=runs)


def seconds(*arguments: str) -> float:
    """The processor's time of the fastest of several processes."""
    times = []
    for _ in range(REPEATS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        program = str(Path(sys.executable).with_name("hil"))
        subprocess.run([program, *arguments], check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(times)


def main() -> int:
    """Measure, and say what came out."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    chance = random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "history.sqlite"
        with writing(database) as connection:
            for number in range(runs // len(MODELS)):
                add(connection, measured_now(results(number, chance)))
        size = database.stat().st_size
        begun = time.process_time()
        record(database, results(runs, chance))
        recorded = time.process_time() - begun
        begun = time.process_time()
        trends(database, [(model, "int8", "aot", "stm32f4", "qemu") for model in MODELS])
        drawn = time.process_time() - begun
        commands = (
            ["history"],
            ["history", "latency.median"],
            ["history", "latency.median", "--run", "gesture-int8-aot-stm32f4"],
            ["history", "latency.median", "--json"],
        )
        times = {" ".join(command): seconds(*command, "--database", str(database)) for command in commands}
    print(f"history of {runs:,} runs: {size / 1e6:.1f} MB, {size / runs:,.0f} bytes a run")
    print(f"a session is added in {1000 * recorded:.0f} ms; its trends are read in {1000 * drawn:.0f} ms")
    for command, taken in times.items():
        print(f"hil {command}: {1000 * taken:.0f} ms (goal: below {1000 * LIMIT_S:.0f} ms)")
    return int(max(times.values()) >= LIMIT_S)


if __name__ == "__main__":
    sys.exit(main())
