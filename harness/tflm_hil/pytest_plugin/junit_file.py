"""The JUnit XML that pytest's own plugin writes: given a place if none was asked for, put there whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from _pytest.junitxml import LogXML, xml_key  # the only way to tell pytest's own plugin where its file has gone

from tflm_hil.errors import InfrastructureError
from tflm_hil.files import write_text
from tflm_hil.report.junit import add_verdicts, unfinished
from tflm_hil.results.model import Results


class JunitFile:
    """Lets pytest write to `scratch`, since it writes in place, and half a file if the disk is full.

    There is no `path` if that plugin is blocked (`-p no:junitxml`), and then nothing is written.
    """

    def __init__(self, config: pytest.Config, report_dir: Path, scratch: Path) -> None:
        self._config = config
        self.path: Path | None = None
        self._asked = bool(config.getoption("xmlpath", None))
        if config.pluginmanager.has_plugin("junitxml"):
            self.path = Path(config.option.xmlpath or report_dir / "junit.xml")
            config.option.xmlpath = str(scratch / "junit.xml")

    def begin(self) -> None:
        """Say that the session has not ended. Raises HilError if the file cannot be written."""
        if self.path is not None:
            write_text(self.path, unfinished())

    def add(self, results: Results, missing: set[str]) -> None:
        """Add the verdicts."""
        if (xml := self._xml) is not None:
            add_verdicts(xml, results, missing)

    @contextmanager
    def written(self, wanted: bool) -> Iterator[None]:
        """Put the file into its place after pytest has written it, if it is `wanted` or was asked for.

        Raises HilError if it cannot be written.
        """
        xml = self._xml
        if xml is None or self.path is None:
            yield
            return
        scratch = Path(xml.logfile)
        wanted = wanted or self._asked
        try:
            yield
        except OSError as error:
            scratch.unlink(missing_ok=True)
            raise InfrastructureError(f"cannot write {scratch}: {error.strerror}; free it, or set TMPDIR") from None
        finally:
            xml.logfile = str(self.path) if wanted else "none: no test of firmware was to run"
            if wanted and scratch.is_file():
                write_text(self.path, scratch.read_text(encoding="utf-8"))

    @property
    def _xml(self) -> LogXML | None:
        return self._config.stash.get(xml_key, None)
