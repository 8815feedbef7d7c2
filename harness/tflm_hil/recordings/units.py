"""Units of recordings and their conversion, with Pint. Pint knows some units by other names than sensors do."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pint

RAW = "raw"
"""A count of the sensor. It cannot be converted."""

EXAMPLES = "g, mg, m/s^2, dps, rad/s, uT, gauss, hPa, degC, lux or raw"

# In Pint g and mg are masses, and gauss belongs to another system of units than tesla.
_SPELLINGS = {
    "g": "standard_gravity",
    "mg": "millistandard_gravity",
    "dps": "degree/second",
    "mdps": "millidegree/second",
    "gauss": "magnetic_gauss",
    "Gauss": "magnetic_gauss",
    "G": "magnetic_gauss",
    "mgauss": "millimagnetic_gauss",
    "mG": "millimagnetic_gauss",
}

# What Pint would say as well. Most projects use only these units, and so need not load it.
_QUANTITIES = {
    **dict.fromkeys(("g", "mg"), "acceleration"),
    **dict.fromkeys(("dps", "mdps"), "angular velocity"),
    **dict.fromkeys(("gauss", "Gauss", "G", "mgauss", "mG"), "magnetic flux density"),
}


def check_unit(unit: str) -> None:
    """Raise ValueError if `unit` is unknown."""
    if unit != RAW and unit not in _SPELLINGS:
        _parse(unit)


def conversion(source: str, target: str) -> tuple[float, float]:
    """Return (factor, offset): value in `target` = value in `source` * factor + offset.

    Raises ValueError if a unit is unknown or the two measure different quantities.
    """
    check_unit(source)
    check_unit(target)
    if source == target:
        return 1.0, 0.0
    if not comparable(source, target):
        raise ValueError(f"{source} cannot be converted to {target}")
    offset = _convert(0.0, source, target)
    # Only temperatures have an offset. Subtract nothing else, because a difference loses digits.
    return (_convert(1.0, source, target) - offset, offset) if offset else (_convert(1.0, source, target), 0.0)


def same(unit: str, other: str) -> bool:
    """Return whether both are spellings of the same unit, such as m/s2 and m/s^2."""
    try:
        return unit == other or conversion(unit, other) == (1.0, 0.0)
    except ValueError:
        return False


def comparable(unit: str, other: str) -> bool:
    """Return whether both measure the same quantity. Raises ValueError if one is unknown."""
    if unit == other or RAW in (unit, other):
        return unit == other
    if unit in _QUANTITIES and other in _QUANTITIES:
        return _QUANTITIES[unit] == _QUANTITIES[other]
    return bool(_parse(unit).dimensionality == _parse(other).dimensionality)


_ENDLESS = re.compile(r"(\d[\s)]*(\^|\*\*))|((\^|\*\*)\s*([(+-]\s*)*\d{2})|.{50}", re.DOTALL)
"""Powers of numbers, large powers, and more than any unit needs: Pint computes them, which may take for ever."""


@functools.cache
def _registry() -> pint.UnitRegistry[Any]:
    import pint  # Imported here because loading its definitions takes 0.3 s.

    registry: pint.UnitRegistry[Any] = pint.UnitRegistry()
    registry.define("magnetic_gauss = 1e-4 * tesla")
    return registry


@functools.cache
def _parse(unit: str) -> pint.Unit:
    # Many tools write m/s2 for m/s^2.
    spelled = _SPELLINGS.get(unit) or re.sub(r"(?<=[A-Za-z])(?=\d)", "^", unit)
    if _ENDLESS.search(spelled):
        raise ValueError(f"unit {unit[:50]!r} is unknown; use one such as {EXAMPLES}")
    registry = _registry()  # Outside the try: a missing or broken Pint must not look like an unknown unit.
    try:
        parsed: pint.Unit = registry.parse_units(spelled)
    except Exception:  # Pint also raises errors of its tokenizer, from AssertionError to tokenize.TokenError.
        raise ValueError(f"unit {unit!r} is unknown; use one such as {EXAMPLES}") from None
    if not unit.strip() or "delta_" in unit:
        raise ValueError(f"unit {unit!r} is unknown; use one such as {EXAMPLES}")
    return parsed


def _convert(value: float, source: str, target: str) -> float:
    return float(_registry().Quantity(value, _parse(source)).to(_parse(target)).magnitude)
