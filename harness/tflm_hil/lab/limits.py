"""The limits of a firmware's figures: those of the options around those of its manifest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from tflm_hil.errors import HilError
from tflm_hil.lab.build import Build
from tflm_hil.lab.options import Options
from tflm_hil.models.manifest import Model
from tflm_hil.results.thresholds import Limit, Limits, parse_limits
from tflm_hil.toml_file import line_of


def limits_of(build: Build, options: Options) -> Limits:
    """The limits of `build`. Raises HilError for a limit of its manifest that is none, with file and line."""
    of_manifest = manifest_limits(build.model, build.variant.name, options.root)
    return Limits(options.limits_below, of_manifest, options.limits_above)


def manifest_limits(model: Model, variant: str, root: Path) -> list[Limit]:
    """The limits that the manifest of `model` sets, those of the variant last. Raises HilError as `limits_of`."""
    manifest = model.directory / "model.toml"
    of_variant = model.variants[variant].fail_on if variant in model.variants else []
    return [
        *_limits(manifest, ("fail_on",), model.fail_on, root),
        *_limits(manifest, ("variants", variant, "fail_on"), of_variant, root),
    ]


def budget_source(build: Build, name: str, root: Path) -> str:
    """File and line of the limit `name` in the budget of `build`, as seen from the project `root`.

    Without the line if the file has gone since it was read.
    """
    manifest = build.model.directory / "model.toml"
    keys = build.variant.budget_keys(name, build.target, build.engine)
    try:
        return f"{_shown(manifest, root)}:{line_of(manifest, keys)}"
    except HilError:
        return str(_shown(manifest, root))


def accuracy_sources(build: Build, root: Path) -> dict[str, str]:
    """The same of what the budget says of accuracy, by name."""
    said = [name for name in ("accuracy", "accuracy_drop") if getattr(build.budget, name) is not None]
    return {name: budget_source(build, name, root) for name in said}


def _limits(manifest: Path, keys: Sequence[str], texts: Sequence[str], root: Path) -> Iterator[Limit]:
    for text in texts:
        yield from parse_limits(text, f"{_shown(manifest, root)}:{line_of(manifest, keys, text)}")


def _shown(manifest: Path, root: Path) -> Path:
    return manifest.relative_to(root) if manifest.is_relative_to(root) else manifest
