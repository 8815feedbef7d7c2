"""models/<name>/model.toml: what a model is, which inputs it takes and what it may cost."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from tflm_hil.configuration import load_configuration
from tflm_hil.errors import HilError
from tflm_hil.models.output import Meaning, OutputTable, meaning
from tflm_hil.models.preprocess import Layout
from tflm_hil.recordings.channel import Channel
from tflm_hil.toml_file import read_toml

__all__ = ["Budget", "Channel", "Model", "Skip", "Variant", "load_model", "load_models", "lone_model"]

# Names become names of folders, ids of tests and keys of reports.
_Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
_Count = Annotated[int, Meta(ge=1)]
# HELLO of the wire protocol has 16 bits for these.
_Rows = Annotated[int, Meta(ge=1, le=65535)]


_Share = Annotated[float, Meta(ge=0, le=1)]

LONE_VARIANT = "tflite"
"""The only variant of a .tflite without a manifest."""

EVERY = "all"
"""Stands for every target, or every engine, as a key of budgets."""


class Budget(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The limits of a variant on a target with an engine; None means no limit.

    Upper limits: `instructions` for one inference, `preparation` for the preparation of its window, `window` for both
    together, sizes in bytes, and `accuracy_drop`, the accuracy lost from the first step of the chain to the device.
    Lower limit: `accuracy` of the device and of the reference. Accuracies are fractions of the labelled windows.
    """

    instructions: _Count | None = None
    preparation: _Count | None = None
    window: _Count | None = None
    flash_bytes: _Count | None = None
    ram_bytes: _Count | None = None
    arena_bytes: _Count | None = None
    stack_bytes: _Count | None = None
    accuracy: _Share | None = None
    accuracy_drop: _Share | None = None


class Skip(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[[skip]]: which firmware is left out, and why. None stands for every variant, target or engine."""

    reason: Annotated[str, Meta(min_length=1)]
    variant: str | None = None
    target: str | None = None
    engine: str | None = None

    def __post_init__(self) -> None:
        if not (self.variant or self.target or self.engine):
            raise ValueError("names no variant, target or engine; add at least one of them")

    def covers(self, variant: str, target: str, engine: str) -> bool:
        """Whether this firmware is left out."""
        pairs = ((self.variant, variant), (self.target, target), (self.engine, engine))
        return all(wanted in (None, present) for wanted, present in pairs)


class Variant(msgspec.Struct, frozen=True):
    """One .tflite of a model. The keys of `budgets` are targets, then engines; EVERY may stand for either.

    `fail_on` are limits of its figures, as `--hil-fail-on` takes them.
    """

    name: str
    path: Path
    budgets: dict[str, dict[str, Budget]]
    fail_on: list[str] = []

    def budget(self, target: str, engine: str) -> Budget:
        """Return the limits on `target` with `engine`.

        Each is that of the most specific table that sets it. A table for one target and every engine comes before
        one for every target and one engine.
        """
        limits: dict[str, float | None] = {}
        for _, table in self._tables(target, engine):
            limits |= table
        return Budget(**limits)  # type: ignore[arg-type]

    def budget_keys(self, name: str, target: str, engine: str) -> tuple[str, ...]:
        """Return the keys that lead to the limit `name` in the manifest, which has it."""
        of_table = [keys for keys, table in self._tables(target, engine) if name in table][-1]
        return ("variants", self.name, "budgets", *of_table, name)

    def _tables(self, target: str, engine: str) -> Iterator[tuple[tuple[str, str], dict[str, float]]]:
        """The keys of each table that there is, and what it limits, the most specific one last."""
        for keys in ((EVERY, EVERY), (EVERY, engine), (target, EVERY), (target, engine)):
            if budget := self.budgets.get(keys[0], {}).get(keys[1]):
                yield keys, {name: limit for name, limit in msgspec.structs.asdict(budget).items() if limit is not None}

    @property
    def sha256(self) -> bytes:
        """Digest of the .tflite as it is now, 32 bytes. Raises HilError if it cannot be read."""
        try:
            return hashlib.sha256(self.path.read_bytes()).digest()
        except OSError as error:
            raise HilError(f"{self.path}: cannot be read ({error.strerror}); restore the file") from error


class Model(msgspec.Struct, frozen=True):
    """A model; all paths are absolute.

    `labels` are in the order of the network's outputs; `output` says what these mean if the labels alone do not.
    `window` and `stride` are in rows of `channels`, which arrive `sample_rate_hz` times a second; the network takes
    them in `layout`. `recordings` is the folder of the recordings for its tests. If a model is not `windowed`, all of
    these are 0, empty or None, and its inputs are written as tensors.

    `trained` is the float32 .tflite that the others were quantized from; it need not be a variant. `skips` are the
    builds that are left out. `fail_on` are limits of the figures of all variants.
    """

    name: str
    description: str
    labels: list[str]
    window: int
    stride: int
    sample_rate_hz: float
    channels: list[Channel]
    recordings: Path | None
    variants: dict[str, Variant]
    directory: Path
    trained: Path | None = None
    output: OutputTable | None = None
    layout: Layout = "channels-last"
    skips: list[Skip] = []
    fail_on: list[str] = []

    @property
    def meaning(self) -> Meaning:
        """The meaning of the network's output."""
        return meaning(self.output, self.labels)

    @property
    def note(self) -> str:
        """Why the accuracy of a model with windows is not judged; empty if it is."""
        return self.meaning.note if self.windowed else ""

    def skipped(self, variant: str, target: str, engine: str) -> str | None:
        """Return why this firmware is left out; None if it is not."""
        return next((skip.reason for skip in self.skips if skip.covers(variant, target, engine)), None)

    @property
    def files(self) -> list[Path]:
        """All files that tests of this model depend on."""
        recordings = sorted(self.recordings.glob("*")) if self.recordings else []
        networks = [variant.path for variant in self.variants.values()] + ([self.trained] if self.trained else [])
        return [self.directory / "model.toml", *networks, *(path for path in recordings if path.is_file())]

    @property
    def windowed(self) -> bool:
        """Whether the device cuts windows from rows of a sensor."""
        return self.window > 0


class _VariantTable(msgspec.Struct, forbid_unknown_fields=True):
    file: Annotated[str, Meta(min_length=1)]
    # A number is a limit in a table that does not name both a target and an engine: see _check_budgets.
    budgets: dict[str, dict[str, Budget | float]] = {}
    fail_on: list[str] = []

    @property
    def limits(self) -> dict[str, dict[str, Budget]]:
        """The budgets by target and engine."""
        return {
            target: {engine: budget for engine, budget in table.items() if isinstance(budget, Budget)}
            for target, table in self.budgets.items()
        }


# Keys that every model with windows has; budgets and keys that only such a model may have.
_WINDOWING = ("window", "stride", "sample_rate_hz", "recordings", "channels")
_BUDGETS_OF_WINDOWS = ("preparation", "window", "accuracy", "accuracy_drop")
_OF_WINDOWS = ("labels", "output", "layout")


class _ModelFile(msgspec.Struct, forbid_unknown_fields=True):
    schema: Literal["hil-model/1"]
    name: _Name
    variants: Annotated[dict[_Name, _VariantTable], Meta(min_length=1)]
    trained: Annotated[str, Meta(min_length=1)] | UnsetType = UNSET
    description: str = ""
    labels: Annotated[list[Annotated[str, Meta(min_length=1)]], Meta(min_length=1)] | UnsetType = UNSET
    window: _Rows | UnsetType = UNSET
    stride: _Rows | UnsetType = UNSET
    sample_rate_hz: Annotated[float, Meta(gt=0, le=1e9)] | UnsetType = UNSET
    recordings: Annotated[str, Meta(min_length=1)] | UnsetType = UNSET
    channels: Annotated[list[Channel], Meta(min_length=1, max_length=255)] | UnsetType = UNSET
    output: OutputTable | UnsetType = UNSET
    layout: Layout | UnsetType = UNSET
    skip: list[Skip] = []
    fail_on: list[str] = []

    def __post_init__(self) -> None:
        missing = [key for key in _WINDOWING if getattr(self, key) is UNSET]
        extra = [key for key in _OF_WINDOWS if getattr(self, key) is not UNSET]
        if missing and (len(missing) < len(_WINDOWING) or extra):
            raise ValueError(
                f"{', '.join(missing)} missing; a model with windows needs all of {', '.join(_WINDOWING)}; a model "
                f"whose inputs are written as tensors takes none of these, and none of {', '.join(_OF_WINDOWS)}"
            )
        channels = [channel.name for channel in self.channels or ()]
        for key, names in (("labels", self.labels or ()), ("channels", channels)):
            if len(set(names)) < len(names):
                raise ValueError(f"two {key} have the same name; rename one")
        self._check_budgets()
        self._check_accuracy(windowed=not missing)
        for skip in self.skip:
            if skip.variant not in (None, *self.variants):
                raise ValueError(f"[[skip]] names variant {skip.variant!r}; choose one of {', '.join(self.variants)}")

    def _check_budgets(self) -> None:
        for name, variant in self.variants.items():
            for key, table in variant.budgets.items():
                if any(not isinstance(budget, Budget) for budget in table.values()):
                    target, _, engine = key.rpartition("_")
                    both = f"{target}.{engine}" if target else f"{key}.{EVERY}"
                    raise ValueError(
                        f"[variants.{name}.budgets.{key}] does not name a target and an engine; "
                        f"write [variants.{name}.budgets.{both}]"
                    )

    def _check_accuracy(self, windowed: bool) -> None:
        """Refuse budgets for what is never measured: such checks could not fail."""
        unjudged = meaning(self.output or None, self.labels or ()).note
        for name, variant in self.variants.items():
            for target, engine, budget in (
                (target, engine, budget) for target, table in variant.limits.items() for engine, budget in table.items()
            ):
                where = f"[variants.{name}.budgets.{target}.{engine}]"
                of_windows = [each for each in _BUDGETS_OF_WINDOWS if getattr(budget, each) is not None]
                if of_windows and not windowed:
                    raise ValueError(f"{where} limits {', '.join(of_windows)}, but only models with windows have that")
                if unjudged and (budget.accuracy is not None or budget.accuracy_drop is not None):
                    raise ValueError(f"{where} limits accuracy, but {unjudged}")
                if budget.accuracy_drop is not None and not self.trained:
                    raise ValueError(
                        f"{where} limits accuracy_drop; add `trained`, the network that it is measured from"
                    )


def load_model(directory: Path, recordings_root: Path, untrained: bool = False) -> Model:
    """Read `directory`/model.toml.

    `recordings` names a folder in `recordings_root`; if it begins with a dot, it is relative to `directory`, and it may
    be absolute. The networks of an `untrained` model need not be there yet.

    Raises HilError, which names the file and the key, if the manifest is wrong or a .tflite is missing.
    """
    path = directory / "model.toml"
    content = read_toml(path, _ModelFile)
    directory = directory.resolve()

    def network(key: str, file: str) -> Path:
        return directory / file if untrained else _existing(path, key, directory / file)

    variants = {
        name: Variant(name, network(f"[variants.{name}]", table.file), table.limits, table.fail_on)
        for name, table in content.variants.items()
    }
    return Model(
        name=content.name,
        description=content.description,
        labels=content.labels or [],
        window=content.window or 0,
        stride=content.stride or 0,
        sample_rate_hz=content.sample_rate_hz or 0.0,
        channels=content.channels or [],
        recordings=_recordings(path, content.recordings, recordings_root) if content.recordings else None,
        variants=variants,
        directory=directory,
        trained=network("trained", content.trained) if content.trained else None,
        output=content.output or None,
        layout=content.layout or "channels-last",
        skips=content.skip,
        fail_on=content.fail_on,
    )


def _recordings(manifest: Path, name: str, root: Path) -> Path:
    base = manifest.parent if name.startswith(".") else root
    return (base / Path(name).expanduser()).resolve()


def _existing(manifest: Path, key: str, file: Path) -> Path:
    if not file.is_file():
        raise HilError(f"{manifest}: {key} names {file.name}, which does not exist; add it or correct the name")
    return file


def lone_model(path: Path) -> Model:
    """Return the .tflite at `path` as a model without manifest: named after the file, its inputs written as tensors."""
    name = re.sub(r"[^A-Za-z0-9_.-]+", "_", path.stem).lstrip("_.-") or "network"
    variant = Variant(LONE_VARIANT, path.resolve(), {})
    return Model(name, "", [], 0, 0, 0.0, [], None, {variant.name: variant}, variant.path.parent)


def load_models(root: Path) -> dict[str, Model]:
    """Return all models of the project at `root`, sorted by name: models/*/model.toml, or where the project has them.

    Raises HilError as `load_model` and `load_configuration`, and if two models have the same name.
    """
    configuration = load_configuration(root)
    models: dict[str, Model] = {}
    for path in sorted(configuration.models.glob("*/model.toml")):
        model = load_model(path.parent, configuration.recordings)
        if model.name in models:
            raise HilError(
                f"{path}: the name {model.name!r} is taken by {models[model.name].directory}; choose another"
            )
        models[model.name] = model
    return dict(sorted(models.items()))
