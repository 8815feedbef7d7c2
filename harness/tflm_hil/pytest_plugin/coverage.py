"""Line coverage of the firmware (--hil-coverage), added up over all images, boards and workers of a session."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tflm_hil.firmware import line_table, sources
from tflm_hil.lab.session import Session
from tflm_hil.report.coverage import write_coverage

FOLDER = "coverage"
"""Where the files are, in the folder of the reports."""

EXECUTED = pytest.StashKey[dict[Path, set[int]]]()
"""What the board of this process has executed; the fixture `board` puts it there when it has closed it."""

_CARRIED = "hil_coverage"
_GENERATED = "generated"


class Coverage:
    """Lives in every process: a worker hands over what it has when it ends, and the controlling process writes it."""

    def __init__(self, config: pytest.Config, session: Session) -> None:
        self._config = config
        self._session = session
        self._lines: line_table.Lines = {}

    @pytest.hookimpl(tryfirst=True)  # before pytest-xdist sends what a worker hands over
    def pytest_sessionfinish(self) -> None:
        """Hand over what was executed in a worker."""
        if hasattr(self._config, "workeroutput"):
            self._find()
            self._config.workeroutput[_CARRIED] = {
                file: [[line, hit] for line, hit in lines.items()] for file, lines in self._lines.items()
            }

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take over what a worker found. One that was killed hands over nothing."""
        carried = getattr(node, "workeroutput", {}).get(_CARRIED, {})
        line_table.merge(self._lines, {file: dict(lines) for file, lines in carried.items()})

    def pytest_hil_report_lines(self) -> str:
        """Write the files, and say where they are. The reporter asks before any other hook ends the session."""
        self._find()
        root, project = self._session.options.root, sources.project()
        files = {
            (project / file).resolve(): lines
            for file, lines in self._lines.items()
            if Path(file).parts[0] != _GENERATED  # nobody's sources: the network itself
        }
        there = {file: lines for file, lines in files.items() if file.is_file()}
        return write_coverage(there, root, self._session.options.report_dir / FOLDER)

    def _find(self) -> None:
        """Find the lines of what was executed in this process."""
        for elf, executed in self._config.stash.get(EXECUTED, {}).items():
            line_table.merge(self._lines, line_table.reached(elf, executed))
