"""The aot engine: the compiler of this package, behind the engine protocol."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from tflm_hil.compiler import compile_model, steps
from tflm_hil.engines.engine import Estimate, GeneratingEngine
from tflm_hil.firmware.generator import Generated, Job
from tflm_hil.firmware.image_kind import ImageKind
from tflm_hil.firmware.project import FirmwareProject
from tflm_hil.models.steps import Step
from tflm_hil.progress import Say, silent


class AotEngine(GeneratingEngine):
    """See Engine. It needs nothing that is not part of this package."""

    name = "aot"
    ini: str | None = None
    compiles = True

    def check(self, tflite: Path, _project: FirmwareProject, _say: Say = silent) -> Estimate:
        """See Engine."""
        with tempfile.TemporaryDirectory(prefix="hil-") as folder:
            compiled = compile_model(tflite, Path(folder))
        return Estimate(compiled.constant_bytes, compiled.arena_bytes, compiled.arena_lower_bound)

    def steps(self, tflite: Path) -> Sequence[Step]:
        """See Engine."""
        return steps(tflite)

    def generate(self, job: Job) -> Generated:
        """See Generator."""
        compiled = compile_model(
            job.tflite,
            job.build_dir.generated,
            keep_tensors=job.kind is ImageKind.DEBUG,
            mark_steps=job.kind is ImageKind.PROFILE,
        )
        return Generated(compiled.sources, compiled.constant_bytes, compiled.arena_bytes)
