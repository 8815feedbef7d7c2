"""The figures of a commit: out of the history if they are there, else measured in the work tree, and then kept."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from tflm_hil import processes
from tflm_hil.commands.bisect.worktree import Worktree, imported_from
from tflm_hil.errors import HilError
from tflm_hil.progress import Say
from tflm_hil.results.history.record import comparable, record
from tflm_hil.results.history.stored import runs_of_commit
from tflm_hil.results.metrics import BY_NAME
from tflm_hil.results.model import HARDWARE, Results, Run, load

EMULATED = ("--board=emulated",)


@dataclass(frozen=True)
class Measured:
    """The runs of `commit` that have the metric. `how` says where they are from, or why there are none."""

    commit: str
    runs: Sequence[Run]
    how: str


@dataclass(frozen=True)
class Measurer:
    """Measures `metric` with `pytest` and `arguments` in the project, which lies at `project` below the repository.

    Figures of the history count if they were made with `toolchain`. `environment` is that of this process.
    """

    worktree: Worktree
    project: Path
    database: Path
    metric: str
    arguments: Sequence[str]
    toolchain: Mapping[str, str]
    environment: Mapping[str, str]
    say: Say
    lines: list[str] = field(default_factory=list)

    def measure(self, commit: str) -> Measured:
        """The figures of `commit`. Raises HilError if pytest cannot be started."""
        if known := self._known(commit):
            return Measured(commit, known, "history")
        self.say(f"{commit[:12]} {self.worktree.subject(commit)}: pytest {' '.join(self.arguments)}")
        self.worktree.check_out(commit)
        with TemporaryDirectory(prefix="hil-") as folder:
            reports, log = Path(folder) / "reports", Path(folder) / "pytest.log"
            environment = imported_from(self.worktree, sys.path, self.environment)
            status = processes.run(
                [sys.executable, "-m", "pytest", *self.arguments],
                log,
                math.inf,
                lambda _: None,
                # Variables, because an earlier version may lack an option. What is measured is recorded here.
                {**environment, "HIL_REPORT": str(reports), "HIL_HISTORY": "false"},
                self.worktree.root / self.project,
            )
            return self._read(commit, reports / "results.json", log, status)

    def _read(self, commit: str, file: Path, log: Path, status: int | None) -> Measured:
        try:
            results = load(file)
        except HilError:
            return Measured(commit, [], f"pytest ended with {status}: {_last_line(log)}")
        self.lines.extend(record(self.database, results))
        runs = [run for run in results.runs if run.current and self._has(run, results)]
        return Measured(commit, runs, "measured" if runs else f"no {self.metric}: {_why(results)}")

    def _known(self, commit: str) -> list[Run]:
        if not self.database.is_file():
            return []
        hardware = not any(argument.endswith("board=emulated") for argument in self.arguments)
        return [
            stored.run
            for stored in runs_of_commit(self.database, commit)
            if not stored.dirty
            and self.toolchain.items() <= stored.toolchain.items()
            and (stored.run.place == HARDWARE) == hardware
            and not stored.run.not_run
            and stored.run.verdict != "incomplete"
            and BY_NAME[self.metric].of(stored.run) is not None
        ]

    def _has(self, run: Run, results: Results) -> bool:
        metric = BY_NAME[self.metric]
        return metric.of(run) is not None and comparable(metric, run, not results.gaps)


def _why(results: Results) -> str:
    reasons = [case.reason for run in results.runs for case in run.tests if case.reason]
    return (reasons or results.gaps or ["no test measured it"])[0].splitlines()[0]


def _last_line(log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"
