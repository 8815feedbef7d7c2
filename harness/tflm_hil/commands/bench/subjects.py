"""What the bench measures: the project's models, .tflite files, and the bench's own set of networks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from tflm_hil.commands.bench.network import BenchNetwork
from tflm_hil.commands.bench.networks import bench_networks
from tflm_hil.errors import HilError
from tflm_hil.models.manifest import Model, Variant, load_models, lone_model

ALL = "all"


@dataclass(frozen=True)
class Subject:
    """A network to measure; `of_set` where it is one of the bench's own, `own` where it is one of the project's."""

    name: str
    model: Model
    variant: Variant
    of_set: BenchNetwork | None = None
    own: bool = False


def project_subjects(models: Sequence[Model]) -> list[Subject]:
    """Every variant of the project's models."""
    return [
        Subject(f"{model.name}-{variant.name}", model, variant, own=True)
        for model in models
        for variant in model.variants.values()
    ]


def file_subject(path: Path, of_set: BenchNetwork | None = None) -> Subject:
    """The network in a .tflite file. Raises HilError where there is no such file."""
    if not path.is_file():
        raise HilError(f"{path}: no such file")
    model = lone_model(path)
    (variant,) = model.variants.values()
    return Subject(model.name, model, variant, of_set)


def set_subjects(networks: Sequence[BenchNetwork], folder: Path) -> list[Subject]:
    """Networks of the bench's set, as files in `folder`; those that lie there already are left alone."""
    folder.mkdir(parents=True, exist_ok=True)
    subjects = []
    for network in networks:
        path = folder / f"{network.name}.tflite"
        if not path.is_file() or path.read_bytes() != network.content:
            path.write_bytes(network.content)
        subjects.append(file_subject(path, network))
    return subjects


def choose(root: Path, names: Sequence[str], files: Sequence[Path], with_set: bool) -> list[Subject]:
    """What was named: models of the project at `root` (or `all` of them), networks of the set, .tflite `files`.

    All of the project and of the set where nothing was. Raises HilError for a name that there is not.
    """
    project = load_models(root)
    shapes = {network.name: network for network in bench_networks()}
    everything = not (names or files or with_set)
    for name in names:
        if name not in (ALL, *project, *shapes):
            raise HilError(
                f"unknown model {name}; models/ has {', '.join(project) or 'none'}, and the bench's set "
                f"{len(shapes)} networks such as {next(iter(shapes))}"
            )
    models = [model for name, model in project.items() if everything or ALL in names or name in names]
    chosen = [network for name, network in shapes.items() if everything or with_set or name in names]
    subjects = [*project_subjects(models), *map(file_subject, files), *set_subjects(chosen, root / ".hil" / "bench")]
    if not subjects:
        raise HilError("nothing to measure: models/ is empty; name a .tflite file, or add --set")
    return list(_distinct(subjects))


def _distinct(subjects: Sequence[Subject]) -> Iterator[Subject]:
    """The same, with a number behind a name that an earlier one has: a run of the results is known by it."""
    taken: set[str] = set()
    for subject in subjects:
        name, number = subject.name, 1
        while name in taken:
            number += 1
            name = f"{subject.name}_{number}"
        taken.add(name)
        if name != subject.name:
            subject = replace(subject, name=name, model=msgspec.structs.replace(subject.model, name=name))
        yield subject
