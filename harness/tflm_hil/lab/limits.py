"""The limits of a firmware's figures: those of the options around those of its manifest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from tflm_hil.lab.build import Build
from tflm_hil.lab.options import Options
from tflm_hil.results.thresholds import Limit, Limits, parse_limits
from tflm_hil.toml_file import line_of


def limits_of(build: Build, options: Options) -> Limits:
    """The limits of `build`. Raises HilError for a limit of its manifest that is none, with file and line."""
    manifest = build.model.directory / "model.toml"
    of_model = _limits(manifest, ("fail_on",), build.model.fail_on, options.root)
    of_variant = _limits(manifest, ("variants", build.variant.name, "fail_on"), build.variant.fail_on, options.root)
    return Limits(options.limits_below, of_model, of_variant, options.limits_above)


def _limits(manifest: Path, keys: Sequence[str], texts: Sequence[str], root: Path) -> Iterator[Limit]:
    shown = manifest.relative_to(root) if manifest.is_relative_to(root) else manifest
    for text in texts:
        yield from parse_limits(text, f"{shown}:{line_of(manifest, keys, text)}")
