"""The tflm engine: upstream TensorFlow Lite Micro, behind the engine protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tflm_hil.engines.engine import GeneratingEngine
from tflm_hil.engines.tflm import build, library, sources, trial
from tflm_hil.errors import HilError
from tflm_hil.firmware.generator import Generated, Job
from tflm_hil.firmware.project import FirmwareProject
from tflm_hil.models.steps import Step, one_by_one
from tflm_hil.models.tflite_file import read
from tflm_hil.progress import Say, silent


class TflmEngine(GeneratingEngine):
    """See Engine. It needs a copy of the library, which PlatformIO's registry has."""

    name = "tflm"
    ini: str | None = None

    def unavailable(self, project: FirmwareProject, offline: bool = False) -> str | None:
        """See Engine."""
        return library.missing(project.root, project.build_root, offline)

    def versions(self, project: FirmwareProject) -> Mapping[str, str]:
        """See Engine. A library that is still to be installed goes by what platformio.ini asks for."""
        found = library.find(project.build_root)
        if found is not None:
            return {found.name: found.version}
        _, _, package = library.specification(project.root).partition("/")
        name, _, version = package.rpartition("@")
        return {name.strip(): version.strip()}

    def check(self, tflite: Path, project: FirmwareProject, say: Say = silent) -> None:
        """See Engine. Without a library, this is what TFLM on the host can tell."""
        graph = read(tflite)
        sources.check(tflite, graph)
        if found := library.find(project.build_root):
            sources.check_operators(tflite, graph, found)
            trial.check_scales(tflite, graph, found, project.build_root, say)

    def known_fault(self, tflite: Path, project: FirmwareProject) -> str | None:
        """See Engine."""
        try:
            if found := library.find(project.build_root):
                trial.check_scales(tflite, read(tflite), found, project.build_root)
        except HilError as error:
            return str(error)
        return None

    def steps(self, tflite: Path) -> Sequence[Step]:
        """See Engine. Every operator is a step."""
        return one_by_one(read(tflite))

    def generate(self, job: Job) -> Generated:
        """See Generator. The library is installed if it is not here yet."""
        found = build.provide(job.build_dir, job.say)
        sources.check_operators(job.tflite, job.graph, found)
        trial.check_scales(job.tflite, job.graph, found, job.build_dir.build_root, job.say)
        files, arena_bytes = build.generate(job, found)
        settings = build.settings(job.build_dir, found)
        return Generated(files, job.tflite.stat().st_size, arena_bytes, settings, build.progress(job.say))
