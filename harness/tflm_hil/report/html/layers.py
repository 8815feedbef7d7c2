"""What each operator takes beside the multiply-accumulates that it does, as shares of all."""

from __future__ import annotations

from dataclasses import dataclass

from tflm_hil.results.groups import OperatorFigures, ProfileFigures


@dataclass(frozen=True)
class Layer:
    """An operator with its shares of all counts and of all multiply-accumulates."""

    operator: OperatorFigures
    share: float
    share_of_macs: float


@dataclass(frozen=True)
class Layers:
    """The operators in the order of the network, and all their multiply-accumulates.

    `left_out` are so many that take less, `left_out_count` together; `between` is what the inference takes outside of
    operators.
    """

    layers: list[Layer]
    macs: int
    left_out: int
    left_out_count: int
    between: int

    @property
    def dearest(self) -> Layer:
        """The one that takes most."""
        return max(self.layers, key=lambda layer: layer.operator.count)


def layers(profile: ProfileFigures, most: int) -> Layers | None:
    """The `most` dearest operators of `profile`; None if it has none."""
    operators = profile.operators
    if not operators:
        return None
    kept = set(map(id, sorted(operators, key=lambda operator: -operator.count)[:most]))
    rest = [operator for operator in operators if id(operator) not in kept]
    counts, macs = (sum(getattr(operator, field) for operator in operators) for field in ("count", "macs"))
    return Layers(
        [Layer(each, _share(each.count, counts), _share(each.macs, macs)) for each in operators if id(each) in kept],
        macs,
        len(rest),
        sum(operator.count for operator in rest),
        profile.whole - counts,
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole > 0 else 0.0
