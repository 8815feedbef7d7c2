"""Every model of this repository is built for the targets that QEMU does not run; `make matrix` has the others."""

from __future__ import annotations

import pytest
from support.firmware_helpers import ROOT
from support.needs import skip_without_tools
from support.targets import BUILT
from tflm_hil.engines.aot.engine import AotEngine
from tflm_hil.firmware.project import FirmwareProject
from tflm_hil.models.manifest import load_models
from tflm_hil.targets import Target

VARIANTS = [(name, variant) for name, model in load_models(ROOT).items() for variant in model.variants]


@pytest.mark.nightly  # A build from nothing for each target, and one for each model.
@pytest.mark.parametrize("target", [target for target in BUILT if not target.qemu], ids=lambda target: target.name)
@pytest.mark.parametrize(("model", "variant"), VARIANTS)
def test_every_model_fits_every_target(target: Target, model: str, variant: str) -> None:
    skip_without_tools()
    image = FirmwareProject(ROOT / ".hil").build(load_models(ROOT)[model], variant, AotEngine(), target)
    assert image.model_bytes < image.flash_bytes < target.memory["flash"].bytes
    assert image.ram_total_bytes < target.memory["ram"].bytes
