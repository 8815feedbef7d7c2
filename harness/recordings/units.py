"""Units that recordings come in, and the way from one to another."""

STANDARD_GRAVITY = 9.80665
"""One g in m/s^2 (3rd General Conference on Weights and Measures, 1901)."""

# Each quantity's units in terms of its first one. "raw" is a sensor's own count: it converts to nothing else.
_QUANTITIES: tuple[dict[str, float], ...] = (
    {"g": 1.0, "mg": 1e-3, "m/s^2": 1.0 / STANDARD_GRAVITY},
    {"dps": 1.0, "rad/s": 180.0 / 3.141592653589793},
    {"raw": 1.0},
)

UNITS: tuple[str, ...] = tuple(unit for quantity in _QUANTITIES for unit in quantity)
"""Every unit that a manifest may name."""


def factor(source: str, target: str) -> float:
    """What a value in `source` is multiplied by to be one in `target`.

    Raises ValueError where a unit is unknown or the two measure different things.
    """
    for unit in (source, target):
        if unit not in UNITS:
            raise ValueError(f"unit {unit!r} is unknown, use one of {', '.join(UNITS)}")
    for quantity in _QUANTITIES:
        if source in quantity and target in quantity:
            return quantity[source] / quantity[target]
    raise ValueError(f"{source} cannot be converted to {target}")
