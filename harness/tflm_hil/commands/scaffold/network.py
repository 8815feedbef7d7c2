"""The model of a project around the user's own network: fed with recordings, windows that are made up, or tensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from tflm_hil.commands.scaffold import labels, synthetic, texts
from tflm_hil.commands.scaffold.fitting import scaling, variant_name, windows_of, windows_of_channels
from tflm_hil.commands.scaffold.parts import Content, Parts
from tflm_hil.commands.scaffold.reading import load
from tflm_hil.commands.scaffold.survey import Survey, survey
from tflm_hil.errors import HilError
from tflm_hil.models.manifest import lone_model
from tflm_hil.models.reference import Reference
from tflm_hil.models.tflite_file import Graph, read
from tflm_hil.recordings.manifest import MANIFEST


@dataclass(frozen=True)
class _Feed:
    """What a model is fed with: its sensor, None for tensors, and the files that its recordings are."""

    sensor: texts.Sensor | None = None
    files: Mapping[str, Content] = field(default_factory=dict)
    present: Mapping[str, Path] = field(default_factory=dict)
    guesses: tuple[str, ...] = ()


def parts(root: Path, tflite: Path, recordings: Path | None) -> Parts:
    """The parts of a project at `root` that tests the network in `tflite`.

    Raises:
        HilError: it cannot be read, or the recordings are not what it takes.
    """
    graph = read(tflite)
    if recordings is not None:
        found = survey(recordings)
        return _with_ordered_labels(tflite, graph, _recorded(root, tflite, graph, found))
    if windows := windows_of(graph):
        sensor, files, guesses = synthetic.recordings(_name(tflite, graph), graph, windows)
        made_up = _parts(tflite, graph, _Feed(sensor, files, guesses=guesses))
        try:
            load(made_up)
            return made_up
        except HilError:
            pass  # It cannot be what its shape looks like: no answer to a window holds its outputs, for instance.
    return _parts(tflite, graph, _Feed())


def _name(tflite: Path, graph: Graph) -> str:
    return lone_model(tflite).name.removesuffix(f"_{variant_name(graph)}")


def _parts(tflite: Path, graph: Graph, feed: _Feed) -> Parts:
    variant, name, sensor = variant_name(graph), _name(tflite, graph), feed.sensor
    file = f"{name}_{variant}.tflite"
    about = "no windows of a sensor, so its inputs are written as tensors"
    if sensor is not None:
        order = ", channel after channel" if sensor.windows.layout == "channels-first" else ""
        about = f"windows of {sensor.windows.rows} rows of {sensor.windows.channels} channels{order}"
    return Parts(
        f"model {name}: {about}",
        {
            f"models/{name}/model.toml": texts.model_toml(name, file, variant, sensor, feed.guesses),
            f"models/{name}/{file}": tflite,
            **feed.files,
        },
        feed.present,
        feed.guesses,
    )


def _recorded(root: Path, tflite: Path, graph: Graph, found: Survey) -> _Feed:
    """Recordings that were named. They are copied, unless they lie in the project already."""
    windows = windows_of_channels(tflite, graph, found.folder, found.signals)
    name, place = _place(root, found)
    here = found.folder.resolve()
    inside = here.is_relative_to(root.resolve())
    copies = {} if place is None else {f"{place}/{file}": found.folder / file for file in found.files}
    manifest: dict[str, Content] = {}
    if found.manifest is not None:
        manifest = {f"{place}/{MANIFEST}": texts.recordings_toml(found.manifest, found.guesses)}
    elif place is not None:
        copies[f"{place}/{MANIFEST}"] = found.folder / MANIFEST
    outputs = graph.tensors[graph.outputs[0]].elements
    classes = found.labels if len(found.labels) == outputs > 1 else ()
    source = graph.tensors[graph.inputs[0]]
    channels = [(signal.name, scaling(signal, source)) for signal in found.signals]
    return _Feed(
        texts.Sensor(windows, max(1, windows.rows // 2), found.sample_rate_hz, name, classes, channels),
        manifest if inside else {**copies, **manifest},
        copies if inside else {},
        (
            *found.guesses,
            "how values become input (unit, lsb_per_unit, normalization); write what it was trained with",
        ),
    )


def _place(root: Path, found: Survey) -> tuple[str, str | None]:
    """How a manifest in models/NAME/ calls the recordings, and where they are to be in the project.

    Those that refer to files elsewhere stay where they are (None).
    """
    here, root = found.folder.resolve(), root.resolve()
    if any(Path(file).is_absolute() or ".." in Path(file).parts for file in found.files):
        return str(here), None
    if here.is_relative_to(root) and here.parent != root / "recordings":
        place = here.relative_to(root).as_posix()
        return f"../../{place}", place
    return here.name, f"recordings/{here.name}"


def _with_ordered_labels(tflite: Path, graph: Graph, feed: _Feed) -> Parts:
    alphabetical = _parts(tflite, graph, feed)
    if feed.sensor is None or not feed.sensor.labels:
        return alphabetical
    model, recordings = load(alphabetical)
    found = labels.order(model, Reference(tflite), recordings, feed.sensor.labels)
    if found is None:
        guess = "the order of the labels; it is alphabetical, as training tools sort classes"
        return _parts(tflite, graph, replace(feed, guesses=(*feed.guesses, guess)))
    ordered, agreement = found
    guess = f"the order of the labels; in this one the network is right about {agreement:.0%} of the windows"
    sensor = replace(feed.sensor, labels=ordered)
    return _parts(tflite, graph, replace(feed, sensor=sensor, guesses=(*feed.guesses, guess)))
