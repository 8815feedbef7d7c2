"""A run held against an earlier one, wherever that comes from: a baseline, the history, another results file."""

from __future__ import annotations

from collections.abc import Iterator

from tflm_hil.results.causes import causes
from tflm_hil.results.comparison import Base, Change, Comparison, Verdict
from tflm_hil.results.flips import flips
from tflm_hil.results.metrics import METRICS, OF_RUN, Metric
from tflm_hil.results.model import Run
from tflm_hil.results.thresholds import Limit, Limits


def base_of(run: Run, what: str, commit: str) -> Base:
    """The description of an earlier `run`, known to people as `what`, of the sources `commit`."""
    return Base(what, commit, _tools(run))


def _tools(run: Run) -> dict[str, str]:
    """The versions of what figures depend on beside the sources, as far as they are known."""
    known = {
        "arm-none-eabi-gcc": run.compiler,
        "emulator": run.emulator,
        f"engine {run.engine}": run.engine_version,
        "reference": run.parity and run.parity.oracle,
    }
    return {tool: version for tool, version in known.items() if version}


def compare(base: Base, before: Run, now: Run, limits: Limits) -> Comparison:
    """Hold `now` against `before`, which `base` describes.

    Figures are compared if both were measured alike: in the same unit, over as many windows. Whatever stands in the way
    or makes them look different, such as another compiler or another network, is in the notes.

    Raises:
        HilError: what a run says of its outputs contradicts itself.
    """
    notes = [*_other_tools(base, now), *_other_network(base, before, now)]
    changes = []
    for metric in METRICS:
        why = _incomparable(metric, base, before, now)
        if why is not None:
            notes += [why] if why not in ("", *notes) else []
        elif (was := metric.of(before)) != (value := metric.of(now)) and was is not None and value is not None:
            change = _change(metric, metric.unit_in(now), was, value, limits)
            change.causes = causes(metric.name, before, now)
            changes.append(change)
    return Comparison(base, changes, flips(before, now), notes)


def _change(metric: Metric, unit: str, before: float, now: float, limits: Limits) -> Change:
    limit = limits.of_change(metric, unit)
    return Change(metric.name, unit, before, now, _verdict(limit, before, now), str(limit), limit.source)


def _verdict(limit: Limit, before: float, now: float) -> Verdict:
    if limit.worse(before, now):
        return "regressed"
    return "improved" if limit.better(before, now) else "changed"


def _incomparable(metric: Metric, base: Base, before: Run, now: Run) -> str | None:
    """Why a figure cannot be compared; None if it can, "" if there is nothing to say: neither has it."""
    was, value = metric.of(before), metric.of(now)
    if was is None and value is None:
        return ""
    if value is None or metric.group in now.stale:
        return f"{metric.name} is not compared: not measured in this session"
    if was is None:
        return f"{metric.name} is not compared: {base.what} does not have it"
    if metric.unit == OF_RUN and metric.unit_in(before) != metric.unit_in(now):
        return (
            f"{metric.group} is not compared: {base.what} has it in {metric.unit_in(before)}, this run in "
            f"{metric.unit_in(now)}"
        )
    if metric.by_windows and metric.windows(before) != metric.windows(now):
        return (
            f"{metric.group} is not compared: {base.what} has it of {metric.windows(before):,} windows, this run of "
            f"{metric.windows(now):,}"
        )
    return None


def _other_tools(base: Base, now: Run) -> Iterator[str]:
    for tool, version in _tools(now).items():
        before = base.toolchain.get(tool, version)
        if before != version:
            yield f"{base.what} was made with {tool} {before}, this run with {version}"


def _other_network(base: Base, before: Run, now: Run) -> Iterator[str]:
    if before.model_sha256 and now.model_sha256 and before.model_sha256 != now.model_sha256:
        yield (
            f"{base.what} is of another network (SHA-256 {before.model_sha256[:12]}..., now "
            f"{now.model_sha256[:12]}...), so differences may be those of the networks; --hil-update-baseline makes "
            "this one the baseline"
        )
