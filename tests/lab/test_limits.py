"""Limits in a manifest, for the whole model or a variant: they stand between the ini file and the command line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.manifests import MANIFEST, write_model
from tflm_hil.errors import HilError
from tflm_hil.lab.build import Build
from tflm_hil.lab.limits import limits_of
from tflm_hil.lab.options import Options
from tflm_hil.models.manifest import load_model
from tflm_hil.results.metrics import BY_NAME
from tflm_hil.results.thresholds import parse_limits

ANYTHING: Any = None
OPTIONS = Options(
    root=Path(),
    boards=(),
    emulator="auto",
    targets=(),
    engine="auto",
    models=(),
    report_dir=Path(),
    baseline_dir=None,
    update_baseline=False,
    flash=ANYTHING,
    trace=False,
    coverage=False,
)
OF_MODEL = 'fail_on = ["latency.median>+3%", "latency.max>+3%", "latency.p99>+3%"]\n'
OF_VARIANT = 'file = "wave.tflite"\nfail_on = [\n  "latency.max>+2%",\n  "latency.p99>+2%",\n]'


def build(root: Path, of_model: str = OF_MODEL, of_variant: str = OF_VARIANT) -> Build:
    text = MANIFEST.replace('file = "wave.tflite"', of_variant)
    model = load_model(write_model(root, of_model + text), root)
    return Build(model, model.variants["int8"], "aot", "stm32f4")


def test_each_limit_is_that_of_the_last_source_which_names_it(tmp_path: Path) -> None:
    options = replace(
        OPTIONS,
        root=tmp_path.resolve(),
        limits_below=tuple(parse_limits("latency.median>+9%, window.max>+9%", "ini")),
        limits_above=tuple(parse_limits("latency.p99>+1%", "--hil-fail-on")),
    )
    limits = limits_of(build(tmp_path), options)
    found = {
        name: (str(limit), limit.source)
        for name in ("window.max", "latency.median", "latency.max", "latency.p99", "preparation.max")
        for limit in [limits.of_change(BY_NAME[name], "instructions")]
    }
    assert found == {
        "window.max": ("window.max>+9%", "ini"),
        "latency.median": ("latency.median>+3%", "models/wave/model.toml:1"),
        "latency.max": ("latency.max>+2%", "models/wave/model.toml:20"),
        "latency.p99": ("latency.p99>+1%", "--hil-fail-on"),
        "preparation.max": ("preparation.max>+0", "default"),
    }


@pytest.mark.parametrize(
    ("of_model", "of_variant", "message"),
    [
        (
            'fail_on = ["flash_bytes>+1%"]\n',
            OF_VARIANT,
            r"^models/wave/model\.toml:1: 'flash_bytes>\+1%' names no metric",
        ),
        (
            "",
            OF_VARIANT.replace("p99>", "p99<"),
            r"^models/wave/model\.toml:20: 'latency\.p99<\+2%' would fail what got",
        ),
    ],
)
def test_a_limit_that_is_none_is_told_with_its_line(
    tmp_path: Path, of_model: str, of_variant: str, message: str
) -> None:
    with pytest.raises(HilError, match=message):
        limits_of(build(tmp_path, of_model, of_variant), replace(OPTIONS, root=tmp_path.resolve()))


def test_a_manifest_with_anything_but_a_list_of_limits_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HilError, match=r"model\.toml: Expected `array`, got `str` - at `\$\.fail_on`"):
        build(tmp_path, 'fail_on = "latency.max>+3%"\n')
