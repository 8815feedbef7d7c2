"""The units of all sensors can be converted, but only to units of the same quantity."""

import itertools
import sys

import pytest
from tflm_hil.recordings import units
from tflm_hil.recordings.units import EXAMPLES, check_unit, comparable, conversion, same


@pytest.mark.parametrize(
    ("source", "target", "value", "converted"),
    [
        ("mg", "g", 1500.0, 1.5),
        ("m/s^2", "g", 9.80665, 1.0),
        ("m/s2", "g", 9.80665, 1.0),
        ("rad/s", "dps", 3.141592653589793, 180.0),
        ("deg/s", "dps", 12.0, 12.0),
        ("mdps", "dps", 250.0, 0.25),
        ("gauss", "uT", 0.5, 50.0),
        ("mG", "µT", 500.0, 50.0),
        ("mbar", "hPa", 1013.25, 1013.25),
        ("kPa", "hPa", 101.325, 1013.25),
        ("degF", "degC", 212.0, 100.0),
        ("degC", "kelvin", -273.15, 0.0),
        ("lx", "lux", 300.0, 300.0),
        ("V", "mV", 3.3, 3300.0),
    ],
)
def test_conversion(source: str, target: str, value: float, converted: float) -> None:
    factor, offset = conversion(source, target)
    assert value * factor + offset == pytest.approx(converted, rel=1e-9, abs=1e-9)
    back, back_offset = conversion(target, source)
    assert converted * back + back_offset == pytest.approx(value, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(("source", "target"), [("dps", "g"), ("raw", "g"), ("hPa", "raw"), ("uT", "lux"), ("g", "kg")])
def test_other_quantities_do_not_convert(source: str, target: str) -> None:
    with pytest.raises(ValueError, match=f"{source} cannot be converted to {target}"):
        conversion(source, target)


@pytest.mark.parametrize(
    ("unit", "other", "one"),
    [
        ("m/s2", "m/s^2", True),
        ("dps", "deg/s", True),
        ("raw", "raw", True),
        ("mg", "g", False),
        ("degC", "kelvin", False),
    ],
)
def test_spellings_of_one_unit(unit: str, other: str, one: bool) -> None:
    assert same(unit, other) == same(other, unit) == one
    assert not same(unit, "furlongz")


@pytest.mark.parametrize(
    "unit",
    [
        "gg",
        "",
        " ",
        "m/",
        "(",
        "3",
        "1+",
        "2 m",
        "m/s^",
        "delta_degC",
        "\n",
        "9**9**9**9",
        "m**99",
        "m**(9**9)",
        "m" * 60,
    ],
)
def test_unknown_units(unit: str) -> None:
    with pytest.raises(ValueError, match="is unknown; use one such as g, mg"):
        check_unit(unit)


def test_all_examples_are_units() -> None:
    for unit in EXAMPLES.replace(" or ", ", ").split(", "):
        check_unit(unit)


def test_a_missing_library_is_no_unknown_unit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pint", None)
    monkeypatch.setattr(units, "_parse", units._parse.__wrapped__)
    monkeypatch.setattr(units, "_registry", units._registry.__wrapped__)
    with pytest.raises(ModuleNotFoundError, match="pint"):
        check_unit("hPa")


def test_what_is_known_without_pint_is_what_pint_says() -> None:
    for unit, other in itertools.product(units._QUANTITIES, repeat=2):
        assert comparable(unit, other) == (units._parse(unit).dimensionality == units._parse(other).dimensionality)


def test_the_units_of_most_projects_need_no_pint(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loading it takes longer than all recordings of a small project."""
    monkeypatch.setitem(sys.modules, "pint", None)
    monkeypatch.setattr(units, "_parse", units._parse.__wrapped__)
    monkeypatch.setattr(units, "_registry", units._registry.__wrapped__)
    assert comparable("mg", "g")
    assert not comparable("dps", "g")
    assert not comparable("raw", "g")
    with pytest.raises(ValueError, match="dps cannot be converted to g"):
        conversion("dps", "g")
