"""What the installed plugin costs: a project that does not use it, one without a board, and this one with a board.

usage: python .ci/plugin_cost.py [RUNS]

Runs with and without the plugin alternate, and the time is that of the processor, so that a busy machine matters less.
The exit status is 1 if a goal is missed.
"""

from __future__ import annotations

import importlib.metadata
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
PLUGIN_LIMIT_S = 0.050
SUITE_LIMIT_S = 0.050
IMPORT_LIMIT_S = 0.150
BOARD_LIMIT_S = 1.5
"""With a board, models, recordings and tools are looked at before the first test."""


def seconds(folder: Path, *arguments: str) -> float:
    """The processor's time for a run of Python in `folder`."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def fastest(runs: int, folder: Path, *commands: tuple[str, ...]) -> list[float]:
    """The least time of each command, which is the one that was disturbed least."""
    times = [[seconds(folder, *command) for command in commands] for _ in range(runs)]
    return [min(column) for column in zip(*times, strict=True)]


def main() -> int:
    """Measure, and say what came out."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    others = {plugin.name for plugin in importlib.metadata.entry_points(group="pytest11")} - {"hil"}
    collect = ("-m", "pytest", "--collect-only", "-q", *(f"-pno:{name}" for name in sorted(others)))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pytest.ini").write_text("[pytest]\n")
        for number in range(20):
            tests = "".join(f"def test_{test}(tmp_path): pass\n" for test in range(50))
            (folder / f"test_{number}.py").write_text(tests)
        without, with_plugin = fastest(runs, folder, (*collect, "-pno:hil"), collect)
        bare, imported = fastest(runs, folder, ("-c", "pass"), ("-c", "import tflm_hil"))
        (folder / "test_hil.py").write_text("from tflm_hil.suite import *\n")
        one = (*collect, "test_0.py")
        alone, with_suite = fastest(runs, folder, one, (*one, "test_hil.py"))
    (with_board,) = fastest(runs, ROOT, (*collect, "--board=emulated"))
    cost, of_suite = with_plugin - without, with_suite - alone
    print(
        f"pytest --collect-only, 1000 tests: {1000 * without:.0f} ms without the plugin, {1000 * with_plugin:.0f} ms "
        f"with it: {1000 * cost:+.0f} ms, x {with_plugin / without:.3f} (goal: below {1000 * PLUGIN_LIMIT_S:.0f} ms)"
    )
    print(
        f"import tflm_hil: {1000 * imported:.0f} ms, of which Python's start is {1000 * bare:.0f} ms "
        f"(goal: below {1000 * IMPORT_LIMIT_S:.0f} ms)"
    )
    print(
        f"the suite without a board: {1000 * of_suite:+.0f} ms (goal: below {1000 * SUITE_LIMIT_S:.0f} ms); with "
        f"--board=emulated, here: {1000 * with_board:.0f} ms (goal: below {1000 * BOARD_LIMIT_S:.0f} ms)"
    )
    missed = cost >= PLUGIN_LIMIT_S or of_suite >= SUITE_LIMIT_S or imported >= IMPORT_LIMIT_S
    return int(missed or with_board >= BOARD_LIMIT_S)


if __name__ == "__main__":
    sys.exit(main())
